/** Lets signals, timers, messages and drawing have their turn, then goes on. */
export type Turn = () => Promise<void>;

/**
 * Makes the turn of this runtime: a macrotask without a delay. `setImmediate` where there is one (Node, Deno, Bun), else a
 * message to oneself, as pages hold timers back for 4 ms.
 */
export function createTurn(): Turn {
  const { setImmediate: soon } = globalThis as { setImmediate?: (callback: () => void) => unknown };
  if (soon !== undefined) return () => new Promise((resolve) => void soon(resolve));
  if (typeof MessageChannel === 'undefined') return () => new Promise((resolve) => void setTimeout(resolve, 0));
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.addEventListener('message', () => waiting.shift()?.());
  port1.start();
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      port2.postMessage(null);
    });
}

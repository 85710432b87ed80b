import type { OperatorNode } from './operator-node.ts';

/** Which letter each axis goes by. */
export interface EinsumLabels {
  readonly inputs: string[][];
  readonly output: string[];
}

/** Reads the equation of an Einsum: letters, an ellipsis for the axes that have none, and what it gives, or by which rule. */
export function parseEinsum(node: OperatorNode, ranks: readonly number[]): EinsumLabels {
  const refuse = () => node.refuse('its equation is not of letters and an arrow');
  const sides = node.text('equation', '').replaceAll(' ', '').split('->');
  const terms = sides[0].split(',');
  if (sides.length > 2 || terms.length !== ranks.length) return refuse();
  const read = (term: string, hidden: readonly string[]): string[] => {
    if (!/^[a-zA-Z]*(\.\.\.)?[a-zA-Z]*$/.test(term)) return refuse();
    return term.split(/(\.\.\.)/).flatMap((part) => (part === '...' ? hidden : part.split('')));
  };
  // Axes behind an ellipsis broadcast as others do: they are counted from the end.
  const hiddenOf = (count: number): string[] => Array.from({ length: count }, (_, index) => `.${count - 1 - index}`);
  const counts = terms.map((term, index) => (term.includes('...') ? ranks[index] - term.replace('...', '').length : 0));
  if (counts.some((count) => count < 0)) return node.refuse('its equation does not fit its inputs');
  const inputs = terms.map((term, index) => read(term, hiddenOf(counts[index])));
  const hidden = hiddenOf(Math.max(0, ...counts));
  if (sides.length === 2) return { inputs, output: read(sides[1], hidden) };
  const letters = inputs.flat().filter((label) => !label.startsWith('.'));
  const single = letters.filter((label) => letters.indexOf(label) === letters.lastIndexOf(label));
  return { inputs, output: [...hidden, ...single.toSorted()] };
}

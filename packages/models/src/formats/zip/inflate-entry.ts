/**
 * Unpacks deflated bytes by what every runtime brings (`DecompressionStream`).
 *
 * @param sizeBytes What they must unpack to: no more is ever held, whatever they would give.
 * @returns Undefined if they are damaged, or unpack to another size.
 */
export async function inflateEntry(packed: Uint8Array, sizeBytes: number): Promise<Uint8Array | undefined> {
  const stream = new Blob([packed as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('deflate-raw'));
  const reader = stream.getReader();
  const content = new Uint8Array(sizeBytes);
  let position = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return position === sizeBytes ? content : undefined;
      if (position + value.length > sizeBytes) break;
      content.set(value, position);
      position += value.length;
    }
  } catch {
    return undefined;
  }
  await reader.cancel();
  return undefined;
}

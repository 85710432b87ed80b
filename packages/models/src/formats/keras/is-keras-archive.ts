/** Whether a ZIP archive is one of Keras's. */
export function isKerasArchive(bytes: Uint8Array): boolean {
  const decode = (part: Uint8Array): string => new TextDecoder('latin1').decode(part);
  // Names stand before the entries, and once more at the end.
  const names = decode(bytes.subarray(0, 4096)) + decode(bytes.subarray(Math.max(0, bytes.length - 4096)));
  return ['config.json', 'model.weights.h5'].some((name) => names.includes(name));
}

/** Whether a file is one that `torch.save` wrote: an archive of `data.pkl`, or a pickle. */
export function isCheckpoint(bytes: Uint8Array): boolean {
  // The length of a safetensors header (eight bytes, then '{') may begin as a pickle does.
  const isSafetensors = bytes[8] === 0x7b && bytes.subarray(4, 8).every((byte) => byte === 0);
  if (bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5 && !isSafetensors) return true;
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
  // PyTorch writes into a folder: data.pkl first, or of programs what tensors hold.
  return (
    isZip &&
    /^[^/]*\/(data\.pkl|data\/|version|\.format_version|code\/|constants\.pkl|byteorder)/.test(firstEntry(bytes))
  );
}

function firstEntry(bytes: Uint8Array): string {
  if (bytes.length < 30) return '';
  const length = bytes[26] | (bytes[27] << 8);
  return new TextDecoder().decode(bytes.subarray(30, 30 + Math.min(length, 300)));
}

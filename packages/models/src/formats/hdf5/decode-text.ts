import type { Reject } from '../_reject.ts';

/** Text in UTF-8, up to its first NUL. */
export function decodeText(bytes: Uint8Array, reject: Reject): string {
  const end = bytes.indexOf(0);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(end < 0 ? bytes : bytes.subarray(0, end));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return reject('its texts must be UTF-8', 'other bytes');
  }
}

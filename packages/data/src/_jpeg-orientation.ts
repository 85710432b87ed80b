/** Tag of the orientation in the first directory of Exif's TIFF structure. */
const ORIENTATION = 0x0112;

/**
 * How a JPEG file says that its picture is to be turned before it is looked at: 1..8, by Exif. Cameras store what their sensor
 * saw and write down how they were held.
 *
 * Source: CIPA DC-008 (Exif), section 4.6; TIFF 6.0, section 2.
 *
 * @returns 1, which leaves the picture as it is, where the file does not say so soundly.
 */
export function jpegOrientation(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 2; offset + 4 <= bytes.length && bytes[offset] === 0xff;) {
    const marker = bytes[offset + 1];
    // Behind these come the pixels.
    if (marker === 0xda || marker === 0xd9) break;
    const end = offset + 2 + view.getUint16(offset + 2);
    if (end > bytes.length) break;
    if (marker === 0xe1 && end - offset > 18 && view.getUint32(offset + 4) === 0x45786966)
      return orientationOf(new DataView(view.buffer, view.byteOffset + offset + 10, end - offset - 10));
    offset = end;
  }
  return 1;
}

/** @param tiff From its header on. */
function orientationOf(tiff: DataView): number {
  const isLittleEndian = tiff.getUint16(0) === 0x4949;
  const short = (offset: number): number =>
    offset + 2 <= tiff.byteLength ? tiff.getUint16(offset, isLittleEndian) : 0;
  const directory = tiff.getUint32(4, isLittleEndian);
  const count = short(directory);
  for (let entry = 0; entry < count; entry++) {
    const offset = directory + 2 + 12 * entry;
    if (offset + 12 > tiff.byteLength) break;
    if (short(offset) !== ORIENTATION) continue;
    const orientation = short(offset + 8);
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
  }
  return 1;
}

const FILE_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;

export type SegmentSource = {
  readonly address: number;
  readonly bytes: Uint8Array;
  /** The size of `bytes` unless told. */
  readonly memorySize?: number;
  /** 1: executable, 2: writable, 4: readable. */
  readonly flags: number;
};

export const TEXT_ADDRESS = 0x1_0000;
export const DATA_ADDRESS = 0x2_0000;

/** An ELF file for RV64 with these segments. */
export function elfFile(entry: number, segments: readonly SegmentSource[]): Uint8Array {
  const headerBytes = FILE_HEADER_BYTES + segments.length * PROGRAM_HEADER_BYTES;
  const size = segments.reduce((sum, { bytes }) => sum + bytes.length, headerBytes);
  const file = new Uint8Array(size);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(entry), true);
  view.setBigUint64(32, BigInt(FILE_HEADER_BYTES), true);
  view.setUint32(48, 1, true);
  view.setUint16(52, FILE_HEADER_BYTES, true);
  view.setUint16(54, PROGRAM_HEADER_BYTES, true);
  view.setUint16(56, segments.length, true);
  let offset = headerBytes;
  for (const [index, { address, bytes, memorySize = bytes.length, flags }] of segments.entries()) {
    const at = FILE_HEADER_BYTES + index * PROGRAM_HEADER_BYTES;
    view.setUint32(at, 1, true);
    view.setUint32(at + 4, flags, true);
    view.setBigUint64(at + 8, BigInt(offset), true);
    view.setBigUint64(at + 16, BigInt(address), true);
    view.setBigUint64(at + 24, BigInt(address), true);
    view.setBigUint64(at + 32, BigInt(bytes.length), true);
    view.setBigUint64(at + 40, BigInt(memorySize), true);
    file.set(bytes, offset);
    offset += bytes.length;
  }
  return file;
}

/** A program of this text, that begins where it does, and of this data. */
export function programFile(
  text: Uint8Array,
  data: Uint8Array = new Uint8Array(),
  dataSize: number = data.length,
): Uint8Array {
  return elfFile(TEXT_ADDRESS, [
    { address: TEXT_ADDRESS, bytes: text, flags: 5 },
    { address: DATA_ADDRESS, bytes: data, memorySize: Math.max(dataSize, 1), flags: 6 },
  ]);
}

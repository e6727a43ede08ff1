/** The polynomial of Castagnoli, its bits reversed (RFC 3720, appendix B.4). */
const POLYNOMIAL = 0x82f63b78;

/** What bytes do to the CRC that are followed by 0, 1, ... 7 others: eight bytes at a time are three times as fast. */
const TABLES = ((): Uint32Array[] => {
  const first = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    return value;
  });
  const tables = [first];
  for (let k = 1; k < 8; k++) tables.push(tables[k - 1]!.map((v) => first[v & 0xff]! ^ (v >>> 8)));
  return tables;
})();

/**
 * CRC-32C of bytes, 0 to 2^32 - 1 (RFC 3720).
 * @param before that of the bytes in front of these, if there are any
 */
export function crc32c(bytes: Uint8Array, before = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  let crc = ~before;
  let i = 0;
  for (; i + 8 <= bytes.length; i += 8) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      t7[crc & 0xff]! ^
      t6[(crc >>> 8) & 0xff]! ^
      t5[(crc >>> 16) & 0xff]! ^
      t4[crc >>> 24]! ^
      t3[bytes[i + 4]!]! ^
      t2[bytes[i + 5]!]! ^
      t1[bytes[i + 6]!]! ^
      t0[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) crc = t0[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The CRC as TFRecord files have it: turned by 15 bits and moved by a constant, so that a CRC of CRCs says something. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

// What the relay must know of a packet: RFC 7348 (VXLAN), Ethernet II, RFC 791 (IPv4), RFC 9293 3.1 (TCP's checksum).

const VXLAN_HEADER_BYTES = 8;
const ETHERNET_HEADER_BYTES = 14;
const MAC_BYTES = 6;
const FRAME_AT = VXLAN_HEADER_BYTES;
const IP_AT = FRAME_AT + ETHERNET_HEADER_BYTES;
const ETHER_TYPE_IPV4 = 0x0800;
const IPV4_MIN_HEADER_BYTES = 20;
const PROTOCOL_TCP = 6;
const TCP_MIN_HEADER_BYTES = 20;
const TCP_CHECKSUM_AT = 16;
const ADDRESSES_AT = 12;
const ADDRESSES_BYTES = 8;

/** Which validator a datagram is for: the last byte of the inner destination, less one. undefined for all that is no frame to one of
 * them, such as multicast. */
export function receiverOf(datagram: Buffer, validators: number): number | undefined {
  if (datagram.length < IP_AT || (datagram[FRAME_AT]! & 1) !== 0) return undefined;
  const index = datagram[FRAME_AT + MAC_BYTES - 1]! - 1;
  return index >= 0 && index < validators ? index : undefined;
}

/** Writes the checksum of the TCP segment in a datagram, in place. A kernel leaves it to the hardware that it believes to be on the way,
 * and here there is only the relay. */
export function completeChecksum(datagram: Buffer): void {
  if (datagram.length < IP_AT + IPV4_MIN_HEADER_BYTES) return;
  if (datagram.readUInt16BE(IP_AT - 2) !== ETHER_TYPE_IPV4 || datagram[IP_AT + 9] !== PROTOCOL_TCP) return;
  const segmentAt = IP_AT + (datagram[IP_AT]! & 0x0f) * 4;
  const end = IP_AT + datagram.readUInt16BE(IP_AT + 2);
  if (end > datagram.length || end - segmentAt < TCP_MIN_HEADER_BYTES) return;
  datagram.writeUInt16BE(0, segmentAt + TCP_CHECKSUM_AT);
  const pseudoHeader = PROTOCOL_TCP + (end - segmentAt);
  const addresses = sumOfWords(datagram, IP_AT + ADDRESSES_AT, IP_AT + ADDRESSES_AT + ADDRESSES_BYTES);
  const sum = pseudoHeader + addresses + sumOfWords(datagram, segmentAt, end);
  datagram.writeUInt16BE(~fold(sum) & 0xffff, segmentAt + TCP_CHECKSUM_AT);
}

/** Packets are short enough that the sum stays below 2^53. */
function sumOfWords(bytes: Buffer, from: number, to: number): number {
  let sum = 0;
  let at = from;
  for (; at + 1 < to; at += 2) sum += (bytes[at]! << 8) | bytes[at + 1]!;
  return at < to ? sum + (bytes[at]! << 8) : sum;
}

function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x1_0000);
  return folded;
}

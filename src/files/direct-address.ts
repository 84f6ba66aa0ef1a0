/** Both ends write one address alike, so that it can be compared: an IPv4 address inside an IPv6 one is the former. */
export function oneSpelling(address: string): string {
  if (!address.includes(':')) return address
  const inside = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  return inside?.[1] ?? new URL(`http://[${address}]`).hostname.slice(1, -1)
}

/** Where an ICE candidate (`candidate:1 1 UDP 2122317823 10.0.0.1 4000 typ host`) may be reached; undefined: at no address that can be read. */
export function addressOfCandidate(candidate: string): string | undefined {
  const address = candidate.split(' ')[4] ?? ''
  if (!/^[\d.]+$|^[\da-f:.]*:[\da-f:.]*$/i.test(address)) return undefined
  try {
    return oneSpelling(address)
  } catch {
    return undefined
  }
}

/** A description without the candidates it may carry: they come one by one, and each is looked at. */
export const withoutCandidates = (sdp: string): string =>
  sdp.replace(/^a=(?:candidate|end-of-candidates|remote-candidates).*(?:\r?\n|$)/gim, '')

/** As URL writes them: ::1, ::, and IPv4 127.0.0.0/8 inside IPv6. */
const LOOPBACK_V6 = /^\[(?:::1?|::ffff:(?:7f[0-9a-f]{2}:[0-9a-f]{1,4}|0:0))\]$/

/** Does this address, by its own words, lead to a program of this very machine? What is no address does not. */
export function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false
  const host = new URL(url).hostname.replace(/\.$/, '')
  return host === 'localhost' || host.endsWith('.localhost') || host.startsWith('127.') || host === '0.0.0.0' || LOOPBACK_V6.test(host)
}

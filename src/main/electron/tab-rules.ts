import { isLoopback } from '../../base/loopback.ts'

/** Every device serves its desk under such a name (see request-guard.ts). */
const DEVICE_HOST = /^[a-z0-9]{12}\.localhost\.?$/
const PAGE_SCHEMES: ReadonlySet<string> = new Set(['http:', 'https:', 'ws:', 'wss:', 'data:', 'blob:', 'about:'])

const portOf = ({ port, protocol }: URL): string => port || (protocol === 'https:' || protocol === 'wss:' ? '443' : '80')

/**
 * Where pages in views may go (EL5). Desks of this machine are never among it, whoever asks. Other programs of this machine are
 * reached only by what the person opened there, and by pages that come from this machine themselves: a page from elsewhere
 * cannot use the view to get at what listens only here.
 */
export class TabRules {
  readonly #deskUrls: () => readonly string[]
  /** `host:port` of programs on this machine that the person opened. */
  readonly #opened = new Set<string>()

  constructor(deskUrls: () => readonly string[]) {
    this.#deskUrls = deskUrls
  }

  /** The person, not a page, goes there. */
  open(url: string): void {
    if (isLoopback(url)) this.#opened.add(programOf(url))
  }

  /**
   * Why an address is not loaded, or undefined when it may be.
   *
   * @param initiator  origin of the page that asks; undefined: the desk, for the person
   */
  refusal(address: string, initiator?: string): string | undefined {
    const url = URL.canParse(address) ? new URL(address) : undefined
    if (!url || !PAGE_SCHEMES.has(url.protocol)) return 'only web pages are opened here'
    if (!isLoopback(address)) return undefined
    const deskPorts = this.#deskUrls().map((desk) => portOf(new URL(desk)))
    if (DEVICE_HOST.test(url.hostname) || deskPorts.includes(portOf(url))) {
      return 'that is a desk of this machine; it is not opened inside itself'
    }
    if (initiator === undefined ? this.#opened.has(programOf(address)) : isLoopback(initiator)) return undefined
    return 'a page from elsewhere may not reach programs on this machine; open that address itself if you mean it'
  }
}

function programOf(url: string): string {
  const parsed = new URL(url)
  return `${parsed.hostname}:${portOf(parsed)}`
}

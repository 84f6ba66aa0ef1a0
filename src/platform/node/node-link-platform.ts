import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import type { Logger } from '../../base/logger.ts'
import type { LinkPlatform } from '../../sync/links.ts'
import { exchangeCandidatesAt, TEST_CANDIDATES_VARIABLE } from './candidate-exchange.ts'
import { DatachannelRtc } from './datachannel-rtc.ts'
import { MdnsLanDiscovery } from './mdns-lan-discovery.ts'
import { NetworkWatch } from './network-watch.ts'
import { openNodeWebSocket } from './rendezvous-socket.ts'

/** What links need, in Node. */
export interface NodeLinkPlatform extends LinkPlatform, Disposable {
  /** After every link was disposed: ends libdatachannel's threads, without which the process stays. */
  release(): Promise<void>
}

/**
 * @param options.lan  false: neither announce on the LAN nor listen there
 * @param options.watch  one that somebody else looks at, too, and disposes; absent: its own
 */
export function createNodeLinkPlatform(options: {
  readonly logger: Logger
  readonly lan: boolean
  readonly watch?: NetworkWatch
}): NodeLinkPlatform {
  const owned = new DisposableStore()
  const rtc = new DatachannelRtc()
  const watch = options.watch ?? owned.add(new NetworkWatch())
  const exchange = process.env[TEST_CANDIDATES_VARIABLE]
  const lan = options.lan ? owned.add(new MdnsLanDiscovery(options.logger)) : undefined
  return {
    rtc,
    openSocket: openNodeWebSocket,
    onDidChangeNetwork: watch.onDidChange,
    ...(lan === undefined ? {} : { lan }),
    ...(exchange === undefined ? {} : { changeNote: exchangeCandidatesAt(exchange) }),
    dispose: () => owned.dispose(),
    async release() {
      owned.dispose()
      await rtc.release()
    },
  }
}

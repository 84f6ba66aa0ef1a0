import type { Disposable } from '../base/disposable.ts'
import { errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Transport } from '../rpc/channel.ts'
import { serve } from '../rpc/serve.ts'
import { hostContract } from './host-contract.ts'
import type { TerminalHost } from './terminal-host.ts'

/** Serves one connection to the host. Whoever reached the 0600 socket is this account, so everything is allowed. */
export function serveHost(host: TerminalHost, transport: Transport, stop: () => Promise<void>, logger: Logger): Disposable {
  return serve(
    hostContract,
    {
      spawn: (request) => host.spawn(request),
      attach({ terminalId, columns, rows }, { openChannel }) {
        host.find(terminalId) // before a channel is opened for nothing
        const channel = openChannel()
        return { channel: channel.id, terminal: host.attach(terminalId, channel, { columns, rows }) }
      },
      list: () => host.list(),
      async end({ terminalId }) {
        await host.end(terminalId)
        return {}
      },
      screen: async ({ terminalId }) => ({ screen: await host.screen(terminalId) }),
      async stop() {
        await stop()
        return {}
      },
      onDidChangeTerminal: host.onDidChangeTerminal,
      onDidChangeScreen: host.onDidChangeScreen,
    },
    transport,
    { allow: () => true, onBug: (error, name) => logger.error(`${name} failed`, { error: errorMessage(error) }) },
  )
}

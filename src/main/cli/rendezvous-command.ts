import { parseArgs } from 'node:util'
import { RENDEZVOUS_PORT } from '../../device/settings-service.ts'
import { runRendezvous } from '../../platform/node/rendezvous-server.ts'
import { LineLogger, parseDebug } from '../daemon/line-logger.ts'
import type { Command } from './command.ts'

export const rendezvousCommand: Command = {
  summary: 'run a rendezvous alone, where devices can meet',
  help: `Runs a rendezvous: devices that know its address find each other there. It sees hashes and ciphertext, never names or content.

  --port N      port (default ${RENDEZVOUS_PORT})
  --listen IP   address to listen on (default: all)`,
  async run(args) {
    const { values } = parseArgs({ args: [...args], options: { port: { type: 'string' }, listen: { type: 'string' } } })
    const port = Number(values.port ?? RENDEZVOUS_PORT)
    if (!Number.isInteger(port) || port < 0 || port > 65535) throw new TypeError(`--port is a number up to 65535, not "${values.port}"`)
    const logger = new LineLogger('rendezvous', parseDebug(process.env.DEBUG), (line) => process.stderr.write(line))
    const running = await runRendezvous({ port, logger, ...(values.listen ? { host: values.listen } : {}) })
    console.log(
      `A rendezvous runs here. Devices use:\n${running
        .urls()
        .map((url) => `  ${url}`)
        .join('\n')}`,
    )
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
    })
    await running.close()
    return 0
  },
}

import type { Clock } from '../../base/clock.ts'
import { DisposableStore } from '../../base/disposable.ts'
import type { DeviceId } from '../../base/ids.ts'
import type { LedgerRecorder } from '../../identity/ledger/ledger-event.ts'
import type { LogGrantCheck } from '../../identity/log-grant-check.ts'
import type { ByteChannel } from '../../rpc/channel.ts'
import type { Handlers } from '../../rpc/contract.ts'
import { pipeChannels } from '../../rpc/pipe-channels.ts'
import type { contactPortsContract } from './contact-contract.ts'
import { DeviceError } from '../device-error.ts'
import { PortAccount } from '../jobs/port-account.ts'

/** Ports of jobs, for whoever was granted one. */
export interface SharedPorts {
  listensOn(port: number): boolean
  /** @throws JobError `job/no-port`; DeviceAwayError `job/device-away` */
  connectPort(port: number, signal: AbortSignal): Promise<ByteChannel>
}

/** Connections that one device of a contact holds at once: a browser opens six to a host, a page of many frames a few times that. */
export const MAX_CONTACT_CONNECTIONS = 64

export interface ContactPortShareOptions {
  readonly device: DeviceId
  readonly grants: Pick<LogGrantCheck, 'allows' | 'require' | 'watch'>
  readonly ports: SharedPorts
  readonly ledger: LedgerRecorder
  readonly clock: Clock
  /** Lives as long as the link. */
  readonly owned: DisposableStore
}

/** Ports of jobs as a contact's device reaches them: by the grant, for as long as it is in force, so many at once (rule ID156). */
export function contactPortsHandlers({
  device,
  grants,
  ports,
  ledger,
  clock,
  owned,
}: ContactPortShareOptions): Handlers<typeof contactPortsContract> {
  const account = owned.add(new PortAccount(ledger, clock))
  let open = 0
  return {
    connectPort: async ({ port }, context) => {
      const question = { device, ability: 'ports:share', port, target: String(port) } as const
      grants.require(question)
      if (open >= MAX_CONTACT_CONNECTIONS) {
        throw new DeviceError(
          'contact/too-many-connections',
          `${MAX_CONTACT_CONNECTIONS} connections to ports here are open over this link; close one, then try again`,
        )
      }
      open++
      const held = new DisposableStore()
      held.defer(() => open--)
      try {
        const near = held.add(await ports.connectPort(port, context.signal))
        grants.require(question) // it may have ended meanwhile
        const channel = held.add(context.openChannel())
        held.add(grants.watch(question, () => channel.dispose()))
        held.add(account.connect(device, undefined, port))
        pipeChannels(near, channel)
        channel.onDidClose(() => held.dispose())
        return { channel: channel.id }
      } catch (error) {
        held.dispose()
        throw error
      }
    },
  }
}

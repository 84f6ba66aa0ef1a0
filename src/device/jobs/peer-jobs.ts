import type { Clock } from '../../base/clock.ts'
import { DisposableStore } from '../../base/disposable.ts'
import type { DeviceId } from '../../base/ids.ts'
import { type GrantCheck, type GrantQuestion, refuseGrant } from '../../identity/grant-check.ts'
import { LEASE_MS } from '../../jobs/lease.ts'
import type { ProgramRights } from '../../jobs/program-rights-contract.ts'
import type { CallContext, Handlers } from '../../rpc/contract.ts'
import { BULK_HIGH_BYTES } from '../../rpc/channel.ts'
import { pipeChannels } from '../../rpc/pipe-channels.ts'
import type { HostClient, ProcessConnection } from '../device-parts.ts'
import type { peerJobsContract } from '../links/peer-contract.ts'
import { programRightsOf, type ProgramRightsParts, questionOf } from '../trust/program-rights.ts'

export interface PeerJobsOptions extends ProgramRightsParts {
  readonly device: DeviceId
  readonly grants: GrantCheck
  readonly clock: Pick<Clock, 'after'>
  readonly host: ProcessConnection<HostClient>
  /** The host has taken a job. */
  readonly onDidStart?: () => void
}

interface Opened {
  readonly channel: number
  readonly tree: number
  /** As the host knows it: it was started on this machine's network, or without a sandbox. */
  readonly asShell?: boolean
  readonly rights?: ProgramRights | undefined
}

/**
 * Jobs that a linked device asks this one to run: by its role, or by grants (rules JB41, JB91-JB93). Which grants hold is said here;
 * which program it is, the host sees.
 */
export function peerJobsHandlers(options: PeerJobsOptions): Handlers<typeof peerJobsContract> {
  const { device, contact, grants, host, clock } = options
  const asker = device
  /** What is asked beside the rights that the host holds it to. */
  const questions = (asShell: boolean, rights: ProgramRights | undefined): GrantQuestion[] => [
    ...(rights?.needed ? [] : [{ device, ability: 'jobs:run' } as const]),
    ...(asShell ? [{ device, ability: 'shell' } as const] : []),
  ]
  const require = (asShell: boolean, rights: ProgramRights | undefined) => {
    for (const question of questions(asShell, rights)) grants.require(question)
    if (rights?.needed && !rights.rights.some(({ runs }) => runs)) {
      refuseGrant({ device, ability: 'jobs:run' }, 'no grant of it is about jobs of this class')
    }
  }
  const end = async (attempt: string, grant?: string) =>
    void (await (await host.client()).endAttempt({ attempt, asker, reason: 'grant', ...(grant !== undefined && { grant }) }))

  /** What the grants of an attempt are watched by: once, however often it is taken up. */
  const watched = new Map<string, DisposableStore>()
  const join = async (attempt: string, context: CallContext, client: HostClient, near: Opened) => {
    const asShell = near.asShell === true
    const lost = (grant?: string) => void end(attempt, grant).catch(() => undefined) // the host is away: it ends with its lease
    const rights = near.rights?.rights.map((right) => ({ ...right, question: questionOf(right, options) })) ?? []
    try {
      require(asShell, near.rights)
    } catch (error) {
      await end(attempt)
      throw error
    }
    for (const { grant, question } of rights) if (!question || !grants.allows(question)) await end(attempt, grant)
    const channel = context.openChannel()
    const tree = context.openChannel()
    pipeChannels(client.channel(near.channel), channel, BULK_HIGH_BYTES)
    pipeChannels(client.channel(near.tree), tree, BULK_HIGH_BYTES)
    watched.get(attempt)?.dispose()
    const watching = new DisposableStore()
    watched.set(attempt, watching)
    const over = () => {
      watching.dispose()
      if (watched.get(attempt) === watching) watched.delete(attempt)
    }
    channel.onDidClose(() => clock.after(LEASE_MS, over)) // it goes on without its asker for so long
    const watch = (question: GrantQuestion, grant?: string) => watching.add(grants.watch(question, () => lost(grant)))
    for (const question of questions(asShell, near.rights)) watch(question)
    for (const { grant, question } of rights) if (question) watch(question, grant)
    return { channel: channel.id, tree: tree.id }
  }

  return {
    startPlaced: async (request, context) => {
      // On the network of this machine it reaches what a shell here does, localhost included; without a sandbox it is a shell.
      const asShell = request.network || request.withoutSandbox
      if (asShell && contact !== undefined)
        refuseGrant({ device, ability: 'shell' }, 'jobs of a contact run in the sandbox, without the network')
      const rights = await programRightsOf(request, options)
      require(asShell, rights)
      const client = await host.client()
      const by = { asker, ...(contact !== undefined && { contact }) }
      const opened = await client.startFor({ ...by, request, ...(rights && { rights }) }, { signal: context.signal })
      options.onDidStart?.()
      return join(request.attempt, context, client, { ...opened, asShell, rights })
    },
    // The host knows how it was started: the link that asked for it may be another one.
    attachPlaced: async ({ attempt, from }, context) => {
      if (grants.jobGrants(device).length === 0) grants.require({ device, ability: 'jobs:run' })
      const client = await host.client()
      return join(attempt, context, client, await client.attachFor({ asker, attempt, from }, { signal: context.signal }))
    },
    endPlaced: async ({ attempt }, { signal }) => {
      await (await host.client()).endAttempt({ attempt, asker, reason: 'cancelled' }, { signal })
      return {}
    },
  }
}

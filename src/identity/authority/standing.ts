import type { DeviceId, PersonId } from '../../base/ids.ts'
import type { AuthorityState, Place } from './authority-state.ts'
import type { Operation } from './operation.ts'
import type { Segment } from './segment.ts'

/** One admission of a device: what makes it a member, and perhaps an admin. `at` is its place in the piece, -1 before it. */
export interface Standing {
  readonly at: number
  readonly place: Place
  readonly isAdmin: boolean
}

/** What `operation` admits, or undefined. Only the root makes admins; a device's attempt to do so admits nothing (rule ID56). */
export function admissionOf(
  { body, by }: Operation,
  person: PersonId,
): { readonly device: DeviceId; readonly isAdmin: boolean } | undefined {
  if (body.kind !== 'add-device' && body.kind !== 'role') return undefined
  if (body.role === 'member') return body.kind === 'add-device' ? { device: body.entry.device, isAdmin: false } : undefined
  return by === person ? { device: body.entry.device, isAdmin: true } : undefined
}

/** What a state kept of a device's admissions: nothing behind it can tell them apart any more. */
export function standingsBefore(state: AuthorityState, device: DeviceId): Standing[] {
  const { member, admin } = state.devices.get(device) ?? {}
  const before: Standing[] = []
  if (member) before.push({ at: -1, place: member, isAdmin: false })
  if (admin) before.push({ at: -1, place: admin, isAdmin: true })
  return before
}

/** Every admission of each device, in order. */
export class Standings {
  readonly #segment: Segment
  readonly #of = new Map<DeviceId, Standing[]>()
  readonly #base: AuthorityState

  constructor(segment: Segment, base: AuthorityState) {
    this.#segment = segment
    this.#base = base
    for (const [at, operation] of segment.operations.entries()) {
      this.of(operation.by as DeviceId) // before `base`, which the writer goes on with, changes
      const admission = admissionOf(operation, base.person)
      if (!admission) continue
      const { device, isAdmin } = admission
      this.of(device).push({ at, place: { depth: segment.depths[at] as number, id: operation.id }, isAdmin })
    }
  }

  of(device: DeviceId): Standing[] {
    let known = this.#of.get(device)
    if (!known) this.#of.set(device, (known = standingsBefore(this.#base, device)))
    return known
  }

  /** The last admission that the operation at `viewer` has seen. */
  lastSeenBy(viewer: number, device: DeviceId): Standing | undefined {
    return this.of(device).findLast(({ at }) => this.#segment.hasSeen(viewer, at))
  }

  /** The last admission as admin that the operation at `viewer` has seen. */
  adminSeenBy(viewer: number, device: DeviceId): Standing | undefined {
    return this.of(device).findLast(({ at, isAdmin }) => isAdmin && this.#segment.hasSeen(viewer, at))
  }
}

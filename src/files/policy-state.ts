import type { DeviceId } from '../base/ids.ts'
import type { PolicyState } from './dataset-contract.ts'
import type { ReplicaPolicy } from './replica-policy.ts'

/** What is known of an open dataset. */
export interface PolicyFacts {
  readonly policy: { readonly current: ReplicaPolicy }
  readonly self: DeviceId
  /** Other devices that have not left. */
  readonly otherDevices: readonly DeviceId[]
  readonly bucket: { readonly isUsed: boolean }
  readonly exchange: { readonly linked: readonly { readonly device: DeviceId }[] }
  isMember(device: DeviceId): boolean
  nameOf(device: DeviceId): string
}

/** The replica policy as displays are told of it, and why it cannot be met now (rule RP7). */
export function policyState(open: PolicyFacts): PolicyState {
  const { copies, on } = open.policy.current
  const named = (devices: readonly DeviceId[]) => devices.map((device) => ({ device, name: open.nameOf(device) }))
  const state = { copies, on: named(on) }
  const left = on.filter((device) => !open.isMember(device))
  if (left.length > 0) return { ...state, unmet: { why: 'left', devices: named(left) } }
  const has = open.otherDevices.length + (open.bucket.isUsed ? 1 : 0)
  if (has < copies) return { ...state, unmet: { why: 'too-few', has } }
  const linked = new Set(open.exchange.linked.map(({ device }) => device))
  const away = on.filter((device) => device !== open.self && !linked.has(device))
  return away.length > 0 ? { ...state, unmet: { why: 'away', devices: named(away) } } : state
}

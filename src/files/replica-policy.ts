import * as z from 'zod'
import { base64Of, bytesOfBase64 } from '../base/base64.ts'
import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { DeviceId } from '../base/ids.ts'
import { MAX_COPIES, MAX_NAMED_DEVICES } from './dataset-contract.ts'
import type { NodeRecord } from './node-record.ts'
import { type NodeId, type OpBody, ROOT_NODE } from './op.ts'

/** Where the contents of a dataset have to be (rule RP6): the same on all its devices. */
export interface ReplicaPolicy {
  /** Devices besides the author that must hold a content before it counts as safe; 1-8. */
  readonly copies: number
  /** Each of these must hold everything, too, and fetches it by itself. */
  readonly on: readonly DeviceId[]
}

/** A policy as it was set. `generation`: when (microseconds, by the clock of logs); 0: nobody set one. */
export interface SetPolicy extends ReplicaPolicy {
  readonly generation: number
}

/** The policy in force. `departures`: how many devices have left; what was signed for before counts for nothing after that. */
export interface PolicyInForce extends SetPolicy {
  readonly departures: number
}

/** As long as nobody says more. */
export const FIRST_POLICY: SetPolicy = { copies: 1, on: [], generation: 0 }

/** What carries the policy: a node in a folder that nobody can make, so that no path, mount or program leads to it. */
export const POLICY_NODE = `${ROOT_NODE.slice(1)}1` as NodeId
const NOWHERE = `${ROOT_NODE.slice(1)}2` as NodeId
const NAME = 'policy'

const parse = z.object({
  copies: z.number().int().min(1).max(MAX_COPIES),
  on: z.array(z.string().min(1).max(64)).max(MAX_NAMED_DEVICES).default([]),
}).parse

/** As the ops made it. What cannot be read (a later version wrote it) may ask for more than is known here. */
export function policyIn(record: NodeRecord | undefined): SetPolicy {
  const kept = record?.xattrs[NAME]
  if (!kept || kept.value === null) return FIRST_POLICY
  try {
    const { copies, on } = parse(JSON.parse(fromUtf8(bytesOfBase64(kept.value))))
    return { copies, on: on as DeviceId[], generation: kept.at.stamp }
  } catch {
    return { copies: MAX_COPIES, on: [], generation: kept.at.stamp }
  }
}

/** The ops that set it. Two devices may make the node at once: both make the same. */
export function policyBodies(record: NodeRecord | undefined, { copies, on }: ReplicaPolicy, mtimeNs: bigint): OpBody[] {
  const value = base64Of(utf8(JSON.stringify({ copies, on })))
  const content = { kind: 'link', target: NAME } as const
  const create: OpBody = { kind: 'create', node: POLICY_NODE, parent: NOWHERE, name: NAME, mode: 0o600, mtimeNs, content }
  return [...(record ? [] : [create]), { kind: 'xattr', node: POLICY_NODE, name: NAME, value }]
}

/** An op that would bring the policy into sight, or make the folder that it is in: nobody honest writes it, and it is ignored. */
export function isAgainstPolicy(body: OpBody): boolean {
  if (body.node === NOWHERE) return true
  if (body.node !== POLICY_NODE) return false
  return !(body.kind === 'xattr' || (body.kind === 'create' && body.parent === NOWHERE && body.content.kind === 'link'))
}

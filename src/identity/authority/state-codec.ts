import * as encoding from 'lib0/encoding'
import { fromBase58 } from '../../base/base58.ts'
import { fromHex, utf8 } from '../../base/bytes.ts'
import type { DatasetId, DeviceId, PersonId } from '../../base/ids.ts'
import { KEY_BYTES } from '../crypto.ts'
import { newerOperation, malformedOperation } from './authority-error.ts'
import type { AuthorityState, DeviceState, GrantState, Place, RotationState, Vote } from './authority-state.ts'
import { MAX_CARD_BYTES, MAX_LAST_COUNTED, readEntry, readFlag, readGrant, readName, writeEntry, writeGrant } from './body-codec.ts'
import { ByteReader } from './byte-reader.ts'
import type { LastCounted, OperationId, SignerId } from './operation.ts'

/*
 * A folded state in one canonical encoding: equal states are equal bytes. Kept, sealed, as a checkpoint; compared in tests.
 */

/** 2: contacts with sealed cards; a state without any is written as version 1, which every past checkpoint is. */
const VERSION = 1
const VERSION_WITH_CARDS = 2
/** Far beyond any log this device would keep: a bound for reading, not a rule. */
const MAX_COUNT = 2_000_000
const HASH_BYTES = 32
const DATASET_BYTES = 16
const START_BYTES = 8

export function encodeState(state: AuthorityState): Uint8Array {
  const encoder = encoding.createEncoder()
  const list = <T>(values: Iterable<T>, write: (value: T) => void): void => {
    const all = [...values]
    encoding.writeVarUint(encoder, all.length)
    for (const value of all) write(value)
  }
  const key = (text: string): void => encoding.writeUint8Array(encoder, fromBase58(text))
  const id = (hex: string): void => encoding.writeUint8Array(encoder, fromHex(hex))
  const text = (value: string): void => encoding.writeVarUint8Array(encoder, utf8(value))
  const uint = (value: number): void => encoding.writeVarUint(encoder, value)
  const place = (value: Place | undefined): void => {
    encoding.writeUint8(encoder, value ? 1 : 0)
    if (!value) return
    uint(value.depth)
    id(value.id)
  }
  const hasCards = [...state.contacts.values()].some(({ sealed }) => sealed)
  encoding.writeUint8(encoder, hasCards ? VERSION_WITH_CARDS : VERSION)
  key(state.person)
  uint(state.count)
  list(sorted(state.heads), ([head, depth]) => {
    id(head)
    uint(depth)
  })
  list(sorted(state.devices), ([, device]) => {
    writeEntry(encoder, device)
    key(device.addedBy)
    uint(device.addedAtMs)
    place(device.member)
    place(device.admin)
    encoding.writeUint8(encoder, device.removed ? 1 : 0)
    if (!device.removed) return
    key(device.removed.by)
    uint(device.removed.atMs)
    id(device.removed.id)
    list(device.removed.lastCounted, ({ doc, start, seq }) => {
      text(doc)
      id(start)
      uint(seq)
    })
  })
  list(sorted(state.contacts), ([, contact]) => {
    key(contact.person)
    if (hasCards) encoding.writeUint8(encoder, contact.sealed ? 1 : 0)
    if (contact.sealed) encoding.writeVarUint8Array(encoder, contact.sealed)
    else text(contact.name ?? '')
    encoding.writeUint8(encoder, contact.checkedBy === 'qr' ? 0 : 1)
    key(contact.by)
    id(contact.id)
  })
  list(sorted(state.grants), ([, made]) => {
    id(made.id)
    writeGrant(encoder, made.grant)
    key(made.by)
    uint(made.atMs)
    encoding.writeUint8(encoder, made.from ? 1 : 0)
    if (made.from) id(made.from)
  })
  list(sorted(state.rotations), ([dataset, rotations]) => {
    key(dataset)
    list(rotations, (rotation) => {
      uint(rotation.epoch)
      id(rotation.id)
      key(rotation.by)
    })
  })
  list(state.votes, (vote) => {
    place(vote)
    key(vote.by)
    key(vote.target)
    encoding.writeUint8(encoder, vote.wish === 'remove' ? 0 : 1)
    id(vote.as)
    id(vote.against)
    uint(vote.atMs)
  })
  list(sorted(state.seqs), ([signer, seq]) => {
    key(signer)
    uint(seq)
  })
  list(sorted(state.forks), ([signer, operation]) => {
    key(signer)
    id(operation)
  })
  return encoding.toUint8Array(encoder)
}

/** @throws IdentityError `authority/malformed`, `authority/version` */
export function decodeState(bytes: Uint8Array): AuthorityState {
  const reader = new ByteReader(bytes)
  const version = reader.u8()
  if (version !== VERSION && version !== VERSION_WITH_CARDS) throw newerOperation(version)
  const key = (): string => reader.base58(KEY_BYTES)
  const id = (): OperationId => reader.hex(HASH_BYTES) as OperationId
  const list = <T>(read: () => T): T[] => reader.list(MAX_COUNT, read)
  const place = (): Place | undefined => (readFlag(reader) ? { depth: reader.uint(), id: id() } : undefined)
  const checkedBy = (): 'qr' | 'words' => (readFlag(reader) ? 'words' : 'qr')
  const person = key() as PersonId
  const count = reader.uint()
  const heads = new Map(list(() => [id(), reader.uint()] as const))
  const devices = list((): DeviceState => {
    const entry = { ...readEntry(reader), addedBy: key() as SignerId, addedAtMs: reader.uint(), member: place(), admin: place() }
    if (!readFlag(reader)) return { ...entry, removed: undefined }
    const removed = { by: key() as SignerId, atMs: reader.uint(), id: id(), lastCounted: readLastCounted(reader) }
    return { ...entry, removed }
  })
  const contacts = list(() => ({
    person: key() as PersonId,
    ...(version === VERSION_WITH_CARDS && readFlag(reader)
      ? { name: undefined, sealed: reader.bytes(MAX_CARD_BYTES) }
      : { name: readName(reader), sealed: undefined }),
    checkedBy: checkedBy(),
    by: key() as SignerId,
    id: id(),
  }))
  const grants = list(
    (): GrantState => ({
      id: id(),
      grant: readGrant(reader),
      by: key() as SignerId,
      atMs: reader.uint(),
      from: readFlag(reader) ? id() : undefined,
    }),
  )
  const rotations = list(
    () =>
      [
        reader.base58(DATASET_BYTES) as DatasetId,
        list((): RotationState => ({ epoch: reader.uint(), id: id(), by: key() as SignerId })),
      ] as const,
  )
  const votes = list((): Vote => {
    const at = place()
    if (!at) throw malformedOperation('a vote has no place')
    return {
      ...at,
      by: key() as DeviceId,
      target: key() as DeviceId,
      wish: readFlag(reader) ? 'demote' : 'remove',
      as: id(),
      against: id(),
      atMs: reader.uint(),
    }
  })
  const seqs = new Map(list(() => [key() as SignerId, reader.uint()] as const))
  const forks = new Map(list(() => [key() as SignerId, id()] as const))
  reader.end()
  return {
    person,
    heads,
    count,
    devices: new Map(devices.map((device) => [device.device, device])),
    contacts: new Map(contacts.map((contact) => [contact.person, contact])),
    grants: new Map(grants.map((grant) => [grant.id, grant])),
    rotations: new Map(rotations),
    votes,
    seqs,
    forks,
  }
}

function readLastCounted(reader: ByteReader): LastCounted[] {
  return reader.list(MAX_LAST_COUNTED, () => ({ doc: reader.text(128), start: reader.hex(START_BYTES), seq: reader.uint() }))
}

const sorted = <K extends string, V>(map: ReadonlyMap<K, V>): [K, V][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

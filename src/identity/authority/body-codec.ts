import * as encoding from 'lib0/encoding'
import { fromBase58 } from '../../base/base58.ts'
import { fromHex, utf8 } from '../../base/bytes.ts'
import type { DatasetId, DeviceId, PersonId } from '../../base/ids.ts'
import { BOX_OVERHEAD_BYTES, KEY_BYTES, SEAL_OVERHEAD_BYTES } from '../crypto.ts'
import { hasControlCharacter, MAX_NAME_LENGTH } from '../device-statement.ts'
import { malformedOperation } from './authority-error.ts'
import type { ByteReader } from './byte-reader.ts'
import type { DeviceEntry, Grant, GrantTarget, LastCounted, OperationBody, OperationId, Role } from './operation.ts'
import { isImage, type ProgramId, parseProgramId } from './program-id.ts'

/** Their places are part of the format: they never change, new ones go to the end. */
const KINDS = [
  'genesis',
  'add-device',
  'remove-device',
  'role',
  'rename',
  'box-key',
  'contact',
  'grant',
  'delegate',
  'revoke',
  'rotate',
  'acquaint',
  'contact-card',
  'part',
] as const satisfies readonly OperationBody['kind'][]
const ROLES = ['member', 'admin'] as const
const CHECKS = ['qr', 'words'] as const
const TARGETS = ['dataset', 'jobs', 'shell', 'port'] as const

const HASH_BYTES = 32
const DATASET_BYTES = 16
const START_BYTES = 8
const MAX_DOC_BYTES = 128
/** Documents times starts of a removed device that its removal can name. */
export const MAX_LAST_COUNTED = 1024
/** As many as a person has devices. */
export const MAX_WRAPS = 128
export const MAX_ABILITIES = 16
/** A name, a secret and four places, sealed. */
export const MAX_CARD_BYTES = 2048
const MAX_EPOCH = 2 ** 32 - 1
const MAX_TIME_MS = 2 ** 48
const WRAP_BYTES = KEY_BYTES + BOX_OVERHEAD_BYTES
const PREVIOUS_BYTES = KEY_BYTES + SEAL_OVERHEAD_BYTES

export function writeBody(encoder: encoding.Encoder, body: OperationBody): void {
  encoding.writeUint8(encoder, KINDS.indexOf(body.kind))
  switch (body.kind) {
    case 'genesis':
      return
    case 'add-device':
      encoding.writeUint8(encoder, ROLES.indexOf(body.role))
      return writeEntry(encoder, body.entry)
    case 'role':
      encoding.writeUint8(encoder, ROLES.indexOf(body.role))
      return body.role === 'admin' ? writeEntry(encoder, body.entry) : writeKey(encoder, body.device)
    case 'remove-device':
      writeKey(encoder, body.device)
      encoding.writeVarUint(encoder, body.lastCounted.length)
      for (const { doc, start, seq } of body.lastCounted) {
        writeText(encoder, doc)
        encoding.writeUint8Array(encoder, fromHex(start))
        encoding.writeVarUint(encoder, seq)
      }
      return
    case 'rename':
      writeKey(encoder, body.device)
      return writeText(encoder, body.name)
    case 'box-key':
      return encoding.writeUint8Array(encoder, body.boxKey)
    case 'contact':
      writeKey(encoder, body.person)
      writeText(encoder, body.name)
      return encoding.writeUint8(encoder, CHECKS.indexOf(body.checkedBy))
    case 'grant':
      return writeGrant(encoder, body.grant)
    case 'delegate':
      encoding.writeUint8Array(encoder, fromHex(body.from))
      return writeGrant(encoder, body.grant)
    case 'revoke':
      return encoding.writeUint8Array(encoder, fromHex(body.target))
    case 'rotate':
      encoding.writeUint8Array(encoder, fromBase58(body.dataset))
      encoding.writeVarUint(encoder, body.epoch)
      encoding.writeVarUint(encoder, body.wraps.length)
      for (const { device, sealed } of body.wraps) {
        writeKey(encoder, device)
        encoding.writeUint8Array(encoder, sealed)
      }
      encoding.writeUint8(encoder, body.previous ? 1 : 0)
      if (body.previous) encoding.writeUint8Array(encoder, body.previous)
      return
    case 'acquaint':
      writeKey(encoder, body.person)
      encoding.writeUint8(encoder, CHECKS.indexOf(body.checkedBy))
      return encoding.writeVarUint8Array(encoder, body.sealed)
    case 'contact-card':
      writeKey(encoder, body.person)
      return encoding.writeVarUint8Array(encoder, body.sealed)
    case 'part':
      return writeKey(encoder, body.person)
  }
}

/** @throws IdentityError `authority/malformed` */
export function readBody(reader: ByteReader): OperationBody {
  const kind = KINDS[reader.u8()]
  switch (kind) {
    case 'genesis':
      return { kind }
    case 'add-device':
      return { kind, role: readRole(reader), entry: readEntry(reader) }
    case 'role':
      return readRole(reader) === 'admin'
        ? { kind, role: 'admin', entry: readEntry(reader) }
        : { kind, role: 'member', device: readDevice(reader) }
    case 'remove-device':
      return { kind, device: readDevice(reader), lastCounted: reader.list(MAX_LAST_COUNTED, () => readLastCounted(reader)) }
    case 'rename':
      return { kind, device: readDevice(reader), name: readName(reader) }
    case 'box-key':
      return { kind, boxKey: reader.raw(KEY_BYTES) }
    case 'contact':
      return { kind, person: readPerson(reader), name: readName(reader), checkedBy: pick(CHECKS, reader.u8()) }
    case 'grant':
      return { kind, grant: readGrant(reader) }
    case 'delegate':
      return { kind, from: readId(reader), grant: readGrant(reader) }
    case 'revoke':
      return { kind, target: readId(reader) }
    case 'rotate': {
      const dataset = readDataset(reader)
      const epoch = reader.uint(MAX_EPOCH)
      const wraps = reader.list(MAX_WRAPS, () => ({ device: readDevice(reader), sealed: reader.raw(WRAP_BYTES) }))
      const previous = readFlag(reader) ? reader.raw(PREVIOUS_BYTES) : undefined
      return { kind, dataset, epoch, wraps, ...(previous ? { previous } : {}) }
    }
    case 'acquaint':
      return { kind, person: readPerson(reader), checkedBy: pick(CHECKS, reader.u8()), sealed: reader.bytes(MAX_CARD_BYTES) }
    case 'contact-card':
      return { kind, person: readPerson(reader), sealed: reader.bytes(MAX_CARD_BYTES) }
    case 'part':
      return { kind, person: readPerson(reader) }
  }
  throw malformedOperation('of a kind this version does not know')
}

export function writeGrant(encoder: encoding.Encoder, grant: Grant): void {
  writeKey(encoder, grant.person)
  writeOptional(encoder, grant.device, writeKey)
  writeOptional(encoder, grant.program, writeText)
  writeOptional(encoder, grant.on, writeKey)
  encoding.writeUint8(encoder, TARGETS.indexOf(grant.target.kind))
  if (grant.target.kind === 'dataset') encoding.writeUint8Array(encoder, fromBase58(grant.target.dataset))
  if (grant.target.kind === 'jobs') writeText(encoder, grant.target.jobClass)
  if (grant.target.kind === 'port') encoding.writeVarUint(encoder, grant.target.port)
  const abilities = [...new Set(grant.abilities)].sort()
  encoding.writeVarUint(encoder, abilities.length)
  for (const ability of abilities) writeText(encoder, ability)
  encoding.writeUint8(encoder, grant.mayDelegate ? 1 : 0)
  writeOptional(encoder, grant.untilMs, encoding.writeVarUint)
}

/** @throws IdentityError `authority/malformed` */
/** Images are in no version of the format: every device refuses the same lines. */
function readProgram(reader: ByteReader): ProgramId {
  const program = parseProgramId(reader.text(80))
  if (isImage(program)) throw malformedOperation('a grant names no container image')
  return program
}

export function readGrant(reader: ByteReader): Grant {
  const person = readPerson(reader)
  const device = readFlag(reader) ? readDevice(reader) : undefined
  const program = readFlag(reader) ? readProgram(reader) : undefined
  const on = readFlag(reader) ? readDevice(reader) : undefined
  const target = readTarget(reader)
  const abilities = reader.list(MAX_ABILITIES, () => readWord(reader))
  const mayDelegate = readFlag(reader)
  const untilMs = readFlag(reader) ? reader.uint(MAX_TIME_MS) : undefined
  if (abilities.length === 0) throw malformedOperation('a grant allows nothing')
  return {
    person,
    ...(device ? { device } : {}),
    ...(program ? { program } : {}),
    ...(on ? { on } : {}),
    target,
    abilities,
    mayDelegate,
    ...(untilMs === undefined ? {} : { untilMs }),
  }
}

export function writeEntry(encoder: encoding.Encoder, entry: DeviceEntry): void {
  writeKey(encoder, entry.device)
  encoding.writeUint8Array(encoder, entry.boxKey)
  writeText(encoder, entry.name)
  writeText(encoder, entry.platform)
}

export function readEntry(reader: ByteReader): DeviceEntry {
  return { device: readDevice(reader), boxKey: reader.raw(KEY_BYTES), name: readName(reader), platform: readName(reader) }
}

function readTarget(reader: ByteReader): GrantTarget {
  const kind = pick(TARGETS, reader.u8())
  if (kind === 'dataset') return { kind, dataset: readDataset(reader) }
  if (kind === 'jobs') return { kind, jobClass: readWord(reader) }
  if (kind === 'port') return { kind, port: reader.uint(65_535) }
  return { kind }
}

function readLastCounted(reader: ByteReader): LastCounted {
  return { doc: reader.text(MAX_DOC_BYTES), start: reader.hex(START_BYTES), seq: reader.uint() }
}

/** A name that can be shown: 1 to 80 characters, none that changes how the others look. */
export function readName(reader: ByteReader): string {
  const name = reader.text(4 * MAX_NAME_LENGTH)
  if (name.length < 1 || name.length > MAX_NAME_LENGTH || hasControlCharacter(name)) throw malformedOperation('a name cannot be shown')
  return name
}

function readWord(reader: ByteReader): string {
  const word = reader.text(32)
  if (!/^[a-z][a-z:-]*$/.test(word)) throw malformedOperation('an ability or job class is not a plain word')
  return word
}

function pick<T>(list: readonly T[], at: number): T {
  const value = list[at]
  if (value === undefined) throw malformedOperation('a choice is out of range')
  return value
}

export function readFlag(reader: ByteReader): boolean {
  return pick([false, true], reader.u8())
}

function writeOptional<T>(encoder: encoding.Encoder, value: T | undefined, write: (encoder: encoding.Encoder, value: T) => void): void {
  encoding.writeUint8(encoder, value === undefined ? 0 : 1)
  if (value !== undefined) write(encoder, value)
}

const readRole = (reader: ByteReader): Role => pick(ROLES, reader.u8())
const readDevice = (reader: ByteReader): DeviceId => reader.base58(KEY_BYTES) as DeviceId
const readPerson = (reader: ByteReader): PersonId => reader.base58(KEY_BYTES) as PersonId
const readDataset = (reader: ByteReader): DatasetId => reader.base58(DATASET_BYTES) as DatasetId
const readId = (reader: ByteReader): OperationId => reader.hex(HASH_BYTES) as OperationId
const writeKey = (encoder: encoding.Encoder, key: string): void => encoding.writeUint8Array(encoder, fromBase58(key))
const writeText = (encoder: encoding.Encoder, text: string): void => encoding.writeVarUint8Array(encoder, utf8(text))

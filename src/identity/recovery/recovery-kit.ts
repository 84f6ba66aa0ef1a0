import { armor, Decrypter, Encrypter } from 'age-encryption'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import { MAX_OPERATION_LIST_BYTES } from '../authority/operation-list.ts'
import { KEY_BYTES } from '../crypto.ts'
import { hasControlCharacter, MAX_NAME_LENGTH } from '../device-statement.ts'
import { IdentityError } from '../identity-error.ts'

/** First byte of what the age file holds; 1 has no buckets, 2 no datasets. */
const FORMAT = 3
/** Largest file that is read: a log of some thousand operations in it, and the letters that armour adds. */
export const MAX_KIT_BYTES = 1_280 * 1024
/** Keys of a thousand epochs. */
const MAX_DATASET_KEYS_BYTES = 40 * 1024
export const MAX_PLACES = 12
export const MAX_PLACE_LETTERS = 512
export const MAX_BUCKETS = 4
const MAX_BUCKET_BYTES = 4096
const MAX_DATASETS_BYTES = 64 * 1024
/** 2^12 rounds, 4 MiB: the words are 130 random bits, so a slow hash protects nothing, and the device never stands still for it. */
const SCRYPT_LOG_ROUNDS = 12
/** What a file may ask for: a hostile one must not hold the device up. 2^15 takes a third of a second and 32 MiB. */
const MAX_SCRYPT_LOG_ROUNDS = 15

/** Everything a bare machine needs to be one of the person's devices again (rule ID158). */
export interface RecoveryKit {
  /** The seed of the root key: 32 bytes, for the caller to wipe. */
  readonly personSeed: Uint8Array
  readonly personName: string
  readonly madeAtMs: number
  /** The workspace's keys as they were: where to meet is derived from them. For the caller to wipe. */
  readonly datasetKeys: Uint8Array
  /** The authority log as it was: who the other devices are. */
  readonly deviceList: Uint8Array
  /** URLs of rendezvous where the devices could be met. */
  readonly places: readonly string[]
  /** What opens the buckets that hold the files, each as text that only who wrote it reads. */
  readonly buckets: readonly string[]
  /** Which datasets there are beside the first, as text that only who wrote it reads; empty: none is known. */
  readonly datasets: string
}

/** What is checked of a kit's content, as far as a test leaves it out. */
export type KitRule = 'name'

/** The kit as an armoured age file that these words open, here and in any age program. `kit` is left as it is. */
export async function sealRecoveryKit(kit: RecoveryKit, words: string): Promise<string> {
  const encrypter = new Encrypter()
  encrypter.setScryptWorkFactor(SCRYPT_LOG_ROUNDS)
  encrypter.setPassphrase(words)
  const plain = encodeKit(kit)
  try {
    return armor.encode(await encrypter.encrypt(plain))
  } finally {
    plain.fill(0)
  }
}

/**
 * Opens a kit; the file may be armoured or not.
 *
 * @param words    as `readRecoveryWords` gives them
 * @param without  leaves a check out, for the test that must notice
 * @throws IdentityError `recovery/damaged` (no kit, cut, changed, hostile), `recovery/wrong-words`, `recovery/newer`
 */
export async function openRecoveryKit(file: Uint8Array, words: string, without?: KitRule): Promise<RecoveryKit> {
  const sealed = dearmour(file)
  requireModest(sealed)
  const decrypter = new Decrypter()
  decrypter.addPassphrase(words)
  const plain = await decrypter.decrypt(sealed).catch((cause: unknown) => {
    if (cause instanceof Error && cause.message.startsWith('no identity matched')) {
      throw new IdentityError(
        'recovery/wrong-words',
        'these words belong to another recovery kit; take the page that was made with this file',
      )
    }
    throw damaged('it was changed or cut', cause)
  })
  try {
    return decodeKit(plain, without)
  } finally {
    plain.fill(0)
  }
}

function dearmour(file: Uint8Array): Uint8Array {
  if (file.length > MAX_KIT_BYTES) throw damaged(`it is larger than ${MAX_KIT_BYTES / 1024} kB`)
  if (file[0] !== '-'.charCodeAt(0)) return file
  try {
    return armor.decode(fromUtf8(file))
  } catch (cause) {
    throw damaged('it was changed or cut', cause)
  }
}

/** The header as the age format has it: one scrypt stanza, and no more work than we ever ask for. */
function requireModest(sealed: Uint8Array): void {
  const head = new TextDecoder('latin1').decode(sealed.subarray(0, 256))
  const rounds = /^age-encryption\.org\/v1\n-> scrypt [A-Za-z0-9+/]{22} ([1-9][0-9]?)\n/.exec(head)?.[1]
  if (!rounds) throw damaged('it is no age file that words open')
  if (Number(rounds) > MAX_SCRYPT_LOG_ROUNDS) throw damaged('it asks for more work than any kit does')
}

function encodeKit(kit: RecoveryKit): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeUint8(encoder, FORMAT)
    encoding.writeUint8Array(encoder, kit.personSeed)
    encoding.writeVarUint8Array(encoder, utf8(kit.personName))
    encoding.writeVarUint(encoder, kit.madeAtMs)
    encoding.writeVarUint8Array(encoder, kit.datasetKeys)
    encoding.writeVarUint8Array(encoder, kit.deviceList)
    const places = kit.places.filter((url) => url.length <= MAX_PLACE_LETTERS).slice(0, MAX_PLACES)
    encoding.writeVarUint(encoder, places.length)
    for (const url of places) encoding.writeVarUint8Array(encoder, utf8(url))
    encoding.writeVarUint(encoder, kit.buckets.length)
    for (const bucket of kit.buckets) encoding.writeVarUint8Array(encoder, utf8(bucket))
    encoding.writeVarUint8Array(encoder, utf8(kit.datasets))
  })
}

function decodeKit(plain: Uint8Array, without?: KitRule): RecoveryKit {
  const decoder = decoding.createDecoder(plain)
  const bounded = (max: number) => {
    const bytes = decoding.readVarUint8Array(decoder)
    if (bytes.length > max) throw new RangeError('too long')
    return bytes.slice()
  }
  try {
    const format = decoding.readUint8(decoder)
    if (format > FORMAT) throw new IdentityError('recovery/newer', 'this kit was made by a newer version; update Elsewhere on this device')
    if (format < 1) throw new RangeError('no kit')
    const personSeed = decoding.readUint8Array(decoder, KEY_BYTES).slice()
    const personName = fromUtf8(bounded(4 * MAX_NAME_LENGTH))
    const isName = personName.length >= 1 && personName.length <= MAX_NAME_LENGTH && !hasControlCharacter(personName)
    if (!isName && without !== 'name') throw new RangeError('the name')
    const madeAtMs = decoding.readVarUint(decoder)
    const datasetKeys = bounded(MAX_DATASET_KEYS_BYTES)
    const deviceList = bounded(MAX_OPERATION_LIST_BYTES)
    const count = decoding.readVarUint(decoder)
    if (count > MAX_PLACES) throw new RangeError('too many places')
    const places = Array.from({ length: count }, () => fromUtf8(bounded(MAX_PLACE_LETTERS)))
    const bucketCount = format >= 2 ? decoding.readVarUint(decoder) : 0
    if (bucketCount > MAX_BUCKETS) throw new RangeError('too many buckets')
    const buckets = Array.from({ length: bucketCount }, () => fromUtf8(bounded(MAX_BUCKET_BYTES)))
    const datasets = format >= 3 ? fromUtf8(bounded(MAX_DATASETS_BYTES)) : ''
    if (decoding.hasContent(decoder)) throw new RangeError('more than a kit')
    return { personSeed, personName, madeAtMs, datasetKeys, deviceList, places, buckets, datasets }
  } catch (cause) {
    throw cause instanceof IdentityError ? cause : damaged('what it holds is no kit', cause)
  }
}

const damaged = (why: string, cause?: unknown) =>
  new IdentityError('recovery/damaged', `this file is not a recovery kit that can be read: ${why}; take another copy of it`, { cause })

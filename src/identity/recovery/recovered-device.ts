import type { Clock } from '../../base/clock.ts'
import type { PersonId } from '../../base/ids.ts'
import { AuthorityLog } from '../authority/authority-log.ts'
import { MemoryAuthorityStore } from '../authority/authority-store.ts'
import { MAX_PREVS, signOperation } from '../authority/operation-codec.ts'
import { decodeOperationList, encodeOperationList } from '../authority/operation-list.ts'
import type { Crypto, SigningKey } from '../crypto.ts'
import type { DeviceIntroduction } from '../device-list.ts'
import { IdentityError } from '../identity-error.ts'

/**
 * The root's numbers go on from here after a recovery: what it signed between kit and recovery, on a device that is lost now,
 * must not look like a second voice (rule ID64). Nobody signs a million acts by hand.
 */
const SEQ_LEAP = 1_000_000

/**
 * The log of a kit and, signed by its root, this machine as an admin of it (rule ID159).
 *
 * @param deviceList  as the kit has it
 * @throws IdentityError `recovery/damaged`  the list is another person's, or cannot be read
 */
export function listWithRecovered(
  crypto: Crypto,
  clock: Clock,
  kit: { readonly person: PersonId; readonly deviceList: Uint8Array },
  entry: DeviceIntroduction,
  personKey: SigningKey,
): Uint8Array {
  const log = AuthorityLog.open({ crypto, clock, person: kit.person, store: new MemoryAuthorityStore() })
  try {
    const { refused, missing } = log.receive(decodeOperationList(kit.person, kit.deviceList))
    if (refused[0]) throw refused[0]
    if (missing.length > 0 || log.isEmpty) throw new RangeError('operations are missing')
    const said = {
      seq: (log.state.seqs.get(kit.person) ?? 0) + SEQ_LEAP,
      atMs: clock.nowMs(),
      prevs: [...log.state.heads.keys()].slice(0, MAX_PREVS),
      body: { kind: 'add-device', role: 'admin', entry },
    } as const
    const added = signOperation(crypto, said, { by: kit.person, sign: (message) => personKey.sign(message) })
    log.receive([added.bytes])
    return encodeOperationList(kit.person, log.all())
  } catch (cause) {
    throw new IdentityError('recovery/damaged', 'the list of devices in this kit cannot be used; take another copy of it', { cause })
  } finally {
    log.dispose()
  }
}

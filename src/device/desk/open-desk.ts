import { fromUtf8, utf8 } from '../../base/bytes.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { WORKSPACE_DOC, type DocId } from '../../base/ids.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'
import { createDeviceCheck, DeviceList } from '../../identity/device-list.ts'
import { DeviceListCopy } from '../../identity/device-list-copy.ts'
import type { AuthorityLog } from '../../identity/authority/authority-log.ts'
import { AuthorityContacts } from '../../identity/contacts/authority-contacts.ts'
import { ContactLogs } from '../../identity/contacts/contact-logs.ts'
import { DatasetKeyring } from '../../identity/dataset-keyring.ts'
import { eventOfOperation } from '../../identity/ledger/authority-events.ts'
import { AnchorStore } from '../../identity/ledger/anchor-store.ts'
import { Ledger } from '../../identity/ledger/ledger.ts'
import { LedgerAnchorer } from '../../identity/ledger/ledger-anchorer.ts'
import type { Vault } from '../../identity/vault.ts'
import { firstContent } from '../../session/first-content.ts'
import { WorkspaceDoc } from '../../session/workspace-doc.ts'
import { ClientIds, newStartId } from '../../sync/client-ids.ts'
import { DocumentSync } from '../../sync/document-sync.ts'
import { Documents } from '../../sync/documents.ts'
import { PausedDevices } from '../../sync/paused-devices.ts'
import type { SyncContext } from '../../sync/sync-context.ts'
import type { DeviceParts, DeviceStore } from '../device-parts.ts'
import { dropStrayLuggage, moveLuggage, unpackDeviceList, unpackWindows } from '../trust/joining.ts'
import type { Notices } from '../notices.ts'

/** Everything that exists while the device keys are open. Disposing it closes links and store; the keys are the vault's. */
export interface OpenDesk extends Disposable {
  readonly context: SyncContext
  readonly documents: Documents
  readonly sync: DocumentSync
  readonly workspace: WorkspaceDoc
  readonly devices: DeviceList
  readonly keyring: DatasetKeyring
  /** Other persons; undefined before the authority log has begun. */
  readonly contacts: AuthorityContacts | undefined
  /** Which devices are theirs. */
  readonly contactLogs: ContactLogs
  /** Who was linked, added, removed, and what was granted; whoever does such a thing records it here. */
  readonly ledger: Ledger
  readonly anchors: AnchorStore
  readonly anchorer: LedgerAnchorer
  readonly values: KeyValueStore
  readonly outputs: KeyValueStore
  /** The workspace was written by a newer version: shown, not changed. */
  isReadOnly(doc: DocId): boolean
}

/**
 * Opens this device's own replica of everything from disk (flow A: no network on this path).
 *
 * @throws StoreError, IdentityError  what lies on disk can't be read
 */
export async function openDesk(parts: DeviceParts, vault: Vault, notices: Notices): Promise<OpenDesk> {
  const { clock, log, crypto, random } = parts
  const { keys } = vault
  const owned = new DisposableStore()
  try {
    const store = owned.add(openOwnStore(parts, vault))
    if (store.setAside !== undefined) notices.put(damagedStore(store.setAside))
    owned.add(store.onDidSetAside((file) => notices.put(damagedStore(file))))
    const devices = owned.add(
      DeviceList.open({
        crypto,
        clock,
        person: keys.person,
        store: store.values,
        authority: store.authority(keys.person),
        self: keys.device,
      }),
    )
    const { store: ledgerStore, values: ledgerValues } = owned.add(parts.openLedger(keys.sealer))
    const ledger = owned.add(
      new Ledger({ crypto, clock, logger: log.child('identity'), signer: keys.signer, person: keys.person, store: ledgerStore }),
    )
    const anchors = new AnchorStore(ledgerValues)
    const anchorer = new LedgerAnchorer({ crypto, clock, ledger, store: anchors })
    owned.add(
      devices.onDidTake((operations) =>
        ledger.recordAll(operations.flatMap((operation) => eventOfOperation(operation, keys.person) ?? [])),
      ),
    )
    const contactLogs = owned.add(new ContactLogs({ crypto, clock, devices, openStore: (person) => store.authority(person) }))
    dropStrayLuggage(store.values, keys.person)
    unpackDeviceList(store.values, devices)
    await new DeviceListCopy(parts.vaultStore, keys, log.child('identity')).follow(devices)
    const begin = () => {
      if (!vault.isPersonOpen || !vault.label) return
      const introduction = { device: keys.device, boxKey: keys.box.publicKey, name: vault.label.deviceName, platform: parts.platform }
      devices.found(introduction, vault.personKey)
    }
    begin()
    owned.add(vault.onDidChange(begin)) // a device that opened by itself begins its log when its person comes
    const keyring = owned.add(
      new DatasetKeyring({
        crypto,
        clock,
        logger: log.child('identity'),
        devices,
        keys,
        values: store.values,
        personKey: () => (vault.isPersonOpen ? vault.personKey : undefined),
        save: () => vault.saveKeys(),
      }),
    )
    const contactsOf = (log: AuthorityLog) => new AuthorityContacts(log, keys.datasetKeys)
    const start = newStartId(random)
    const context: SyncContext = {
      log: store.log,
      store: store.values,
      signer: keys.signer,
      check: createDeviceCheck(crypto, devices, keys.device),
      seal: keys.datasetKeys,
      start,
      clientIds: new ClientIds({ device: keys.device, start, store: store.values, clock }),
      paused: new PausedDevices(store.values),
      clock,
      logger: log.child('sync'),
    }
    const documents = owned.add(new Documents(context, { firstContentOf: (doc) => (doc === WORKSPACE_DOC ? firstContent() : undefined) }))
    documents.openAll()
    const workspace = owned.add(new WorkspaceDoc(documents.open(WORKSPACE_DOC).doc))
    unpackWindows(store.values, workspace, documents, clock, random)
    const sync = owned.add(new DocumentSync(context, documents))
    owned.add(devices.onDidChange(() => sync.resync())) // what a device wrote before we knew it was refused: ask again
    owned.add(keyring.onDidChange(() => sync.resync())) // what could not be opened was refused, too
    return {
      context,
      documents,
      sync,
      devices,
      keyring,
      get contacts() {
        return devices.authority && contactsOf(devices.authority)
      },
      contactLogs,
      ledger,
      anchors,
      anchorer,
      values: store.values,
      outputs: store.outputs,
      workspace,
      isReadOnly: (doc) => doc === WORKSPACE_DOC && workspace.readOnly,
      dispose: () => owned.dispose(),
    }
  } catch (error) {
    owned.dispose()
    throw error
  }
}

/** The store of this person; one left by the person before (this device has joined another) is put aside, its luggage taken along. */
function openOwnStore(parts: DeviceParts, vault: Vault): DeviceStore {
  const { sealer, person } = vault.keys
  let store = parts.openStore(sealer)
  const owner = store.values.get('device', 'person')
  if (owner && fromUtf8(owner) !== person) {
    const putInto = moveLuggage(store.values)
    store.dispose()
    parts.putStoreAside()
    store = parts.openStore(sealer)
    putInto(store.values)
  }
  store.values.put('device', 'person', utf8(person))
  return store
}

const damagedStore = (file: string) => ({
  code: 'store/damaged',
  severity: 'warn' as const,
  message: `The store was damaged and has been set aside as ${file}. Your desk comes back from your other devices as soon as one is linked.`,
})

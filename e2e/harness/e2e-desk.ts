import * as Y from 'yjs'
import { DisposableStore } from '../../src/base/disposable.ts'
import { WORKSPACE_DOC } from '../../src/base/ids.ts'
import { displayContract, type DisplayContract } from '../../src/device/display-contract.ts'
import { dataFolderAt } from '../../src/main/daemon/data-folder.ts'
import { connectUnixSocket } from '../../src/platform/node/unix-socket-transport.ts'
import { AttachedDocument } from '../../src/renderer/desk/attached-document.ts'
import { type Client, createClient } from '../../src/rpc/client.ts'
import { type DeskSize, displayClassOf } from '../../src/session/display-class.ts'
import { SCHEMA_KEY } from '../../src/session/record-keys.ts'
import { SCHEMA_VERSION } from '../../src/session/schema-version.ts'
import type { SessionCommand } from '../../src/session/session-command.ts'
import type { SessionState } from '../../src/session/session-state.ts'
import { WorkspaceDoc } from '../../src/session/workspace-doc.ts'
import type { E2eDevice } from './e2e-device.ts'

/**
 * A display without a screen, over its device's own 0600 socket: gives the commands a person's display gives, through the
 * same document channel. For arranging a desk of any size before it is looked at. The device must be open.
 */
export class E2eDesk {
  readonly client: Client<DisplayContract>
  readonly #owned = new DisposableStore()
  readonly #workspace: WorkspaceDoc
  readonly #desk: DeskSize

  private constructor(client: Client<DisplayContract>, document: AttachedDocument, desk: DeskSize) {
    this.client = client
    this.#desk = desk
    this.#workspace = new WorkspaceDoc(document.doc)
    document.doc.on('update', (update: Uint8Array) => this.changes.push(update.length))
    for (const owned of [client, document, this.#workspace]) this.#owned.add(owned)
  }

  /** @param desk  CSS px of the desk area it arranges for */
  static async open(device: E2eDevice, desk: DeskSize): Promise<E2eDesk> {
    const client = createClient(displayContract, await connectUnixSocket(dataFolderAt(device.folder).deviceSocket))
    const document = new AttachedDocument(WORKSPACE_DOC)
    await document.attach(client)
    await document.whenLoaded
    return new E2eDesk(client, document, desk)
  }

  get state(): SessionState {
    return this.#workspace.state
  }

  /** Every change of the document since it was opened, in bytes: what a hand at a display cost. */
  readonly changes: number[] = []

  /** Size of the whole document as one update. */
  get bytes(): number {
    return Y.encodeStateAsUpdate(this.#workspace.doc).length
  }

  do(...commands: readonly SessionCommand[]): void {
    const context = {
      newId: () => crypto.randomUUID(),
      nowMs: Date.now(),
      displayClass: displayClassOf(this.#desk),
      desk: this.#desk,
    }
    for (const command of commands) this.#workspace.dispatch(command, context)
  }

  /** As if a device with the Elsewhere after this one had changed the desk. Nothing here can change it from then on. */
  markNewer(): void {
    this.#workspace.write({ set: [[SCHEMA_KEY, SCHEMA_VERSION + 1]], remove: [], label: 'newer' })
  }

  dispose(): void {
    this.#owned.dispose()
  }
}

import { fromUtf8, fromBase64Url, toBase64Url, utf8 } from '../../base/bytes.ts'
import { type DocId, type PersonId, WORKSPACE_DOC } from '../../base/ids.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'
import type { RandomSource } from '../../base/random.ts'
import { toBase58 } from '../../base/base58.ts'
import type { DeviceList } from '../../identity/device-list.ts'
import { bringWindows, broughtWindows, windowsToBring } from '../../session/bring-windows.ts'
import { DISPLAY_CLASSES, type DisplayClass } from '../../session/display-class.ts'
import { TextBuffer, textDocsInUse } from '../../session/text-buffer.ts'
import type { WorkspaceDoc } from '../../session/workspace-doc.ts'
import { type Documents, isDocId } from '../../sync/documents.ts'
import * as z from 'zod'

/*
 * Joining another person's devices: what was open here goes along. Written to the store before the keys change, read back
 * after: the storage key stays the same, so a crash in between loses nothing.
 */

const SPACE = 'joining'
const KEY = 'luggage'

const luggage = z.object({
  windows: broughtWindows,
  texts: z.array(z.object({ doc: z.string().max(128), text: z.string(), language: z.string().nullable() })),
  /** Whose devices are joined: in the desk of anybody else this is what a join that was given up left behind. */
  person: z.string(),
  deviceList: z.string(),
  deviceName: z.string(),
})
type Luggage = z.infer<typeof luggage>

/** Packs the open windows, their unsaved texts and the list of the person to join. @throws StoreError */
export function packLuggage(
  from: { workspace: WorkspaceDoc; documents: Documents; values: KeyValueStore },
  to: { person: PersonId; deviceList: Uint8Array },
  deviceName: string,
): void {
  const texts: Luggage['texts'] = []
  for (const doc of textDocsInUse(from.workspace.state)) {
    const replica = isDocId(doc) ? from.documents.get(doc) : undefined
    if (!replica) continue
    const buffer = new TextBuffer(replica.doc)
    texts.push({ doc, text: buffer.text.toString(), language: buffer.language })
  }
  const windows = [...windowsToBring(from.workspace.state)]
  const packed: Luggage = { windows, texts, person: to.person, deviceList: toBase64Url(to.deviceList), deviceName }
  from.values.put(SPACE, KEY, utf8(JSON.stringify(packed)))
}

/** Takes the luggage of a store that belongs to the person before, for the new store. */
export function moveLuggage(from: KeyValueStore): (to: KeyValueStore) => void {
  const packed = from.get(SPACE, KEY)
  return (to) => packed && to.put(SPACE, KEY, packed)
}

/** Forgets luggage for another person than the one whose desk this is: that join was given up, and all it packed is still here. */
export function dropStrayLuggage(values: KeyValueStore, person: PersonId): void {
  const packed = values.get(SPACE, KEY)
  if (packed && read(packed).person !== person) values.delete(SPACE, KEY)
}

/** The joined person's device list, when this device has just joined. Before anything checks who is a member. */
export function unpackDeviceList(values: KeyValueStore, devices: DeviceList): void {
  const packed = values.get(SPACE, KEY)
  if (packed) devices.merge(fromBase64Url(read(packed).deviceList))
}

/** Makes the windows and texts again in the joined workspace, as an activity named after this device. True when there were any. */
export function unpackWindows(
  values: KeyValueStore,
  workspace: WorkspaceDoc,
  documents: Documents,
  clock: { nowMs(): number },
  random: RandomSource,
): boolean {
  const packed = values.get(SPACE, KEY)
  if (!packed) return false
  const { windows, texts, deviceName } = read(packed)
  for (const { doc, text, language } of texts) {
    documents.open(doc as DocId).edit((made) => new TextBuffer(made).start(text, language))
  }
  const context = {
    newId: () => toBase58(random.bytes(12)),
    nowMs: clock.nowMs(),
    displayClass: DISPLAY_CLASSES[0] as DisplayClass,
    desk: { width: 1280, height: 800 },
  }
  const change = bringWindows(workspace.state, windows, deviceName, context)
  if (change) documents.open(WORKSPACE_DOC).edit(() => workspace.write(change))
  values.delete(SPACE, KEY)
  return change !== undefined
}

const read = (packed: Uint8Array): Luggage => luggage.parse(JSON.parse(fromUtf8(packed)))

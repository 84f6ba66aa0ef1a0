import * as Y from 'yjs'
import { encoding } from './lib0.ts'

/**
 * What an update leaves behind when it does not count (rule SY48): its places, so that what others built on them keeps its own,
 * with nothing in them; and none of what it deleted. A pure function: every device makes the same of the same envelope.
 *
 * @throws  what Yjs throws for bytes that are no update
 */
export function voidUpdate(update: Uint8Array): Uint8Array {
  const { structs } = Y.decodeUpdate(update)
  const byClient = new Map<number, (Y.Item | Y.GC | Y.Skip)[]>()
  for (const struct of structs) {
    if (struct instanceof Y.Item) struct.content = new Y.ContentDeleted(struct.length)
    const list = byClient.get(struct.id.client)
    if (list) list.push(struct)
    else byClient.set(struct.id.client, [struct])
  }
  const encoder = new Y.UpdateEncoderV1()
  encoding.writeVarUint(encoder.restEncoder, byClient.size)
  for (const [client, list] of [...byClient].sort(([a], [b]) => b - a)) {
    encoding.writeVarUint(encoder.restEncoder, list.length)
    encoder.writeClient(client)
    encoding.writeVarUint(encoder.restEncoder, (list[0] as Y.Item).id.clock)
    for (const struct of list) struct.write(encoder, 0)
  }
  encoding.writeVarUint(encoder.restEncoder, 0) // deletes nothing
  return encoder.toUint8Array()
}

import { displayContract } from '../../src/device/display-contract.ts'
import { dataFolderAt } from '../../src/main/daemon/data-folder.ts'
import { connectUnixSocket } from '../../src/platform/node/unix-socket-transport.ts'
import { createClient } from '../../src/rpc/client.ts'

/*
 * Reads a file of a linked device without end, many times at once, as the Files app reads one: `file-load-process.ts FOLDER
 * DEVICE FILE`, with the data folder of the device it is a display of. A process of its own, so that whoever measures
 * meanwhile does not wait for it. Prints the bytes read so far, once a second.
 */
/** Reads under way at once: more than the bulk connection lets into flight on a path of 80 ms. */
const READS = 24

const [, , folder = '', device = '', path = ''] = process.argv
const client = createClient(displayContract, await connectUnixSocket(dataFolderAt(folder).deviceSocket))
let bytes = 0
setInterval(() => console.log(bytes), 1_000)
const read = async () => {
  for (;;) {
    const { base64 } = await client.readBytes({ device, path })
    bytes += Math.floor(base64.length * 0.75)
  }
}
await Promise.all(Array.from({ length: READS }, read))

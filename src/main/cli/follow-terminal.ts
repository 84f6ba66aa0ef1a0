import { decodeDownFrame, encodeUpFrame } from '../../jobs/terminal-frames-contract.ts'
import type { DeviceClient } from './local-client.ts'

/** Bytes of one frame of keys, well below what the other end takes. */
const PASTE_BYTES = 64 * 1024

export const ownSize = () => ({ columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 })

/**
 * Shows a terminal of any device in this one until its program ends; keys, and this window's size, go there.
 *
 * @returns its exit code, as a shell would tell it
 */
export async function followTerminal(device: DeviceClient, at: { readonly device: string; readonly terminalId: string }): Promise<number> {
  const { stdin, stdout } = process
  const opened = await device.attachTerminal({ device: at.device, terminalId: at.terminalId, ...ownSize() })
  const channel = device.channel(opened.channel)
  const give = (bytes: Buffer) => {
    for (let from = 0; from < bytes.length; from += PASTE_BYTES) {
      channel.send(encodeUpFrame({ kind: 'keys', bytes: bytes.subarray(from, from + PASTE_BYTES) }))
    }
  }
  // Input that has ended is said as at a keyboard.
  const end = () => give(Buffer.from('\u0004'))
  const resize = () => channel.send(encodeUpFrame({ kind: 'size', ...ownSize() }))
  if (stdin.isTTY) stdin.setRawMode(true)
  stdin.on('data', give)
  stdin.on('end', end)
  stdout.on('resize', resize)
  resize()
  try {
    return await new Promise<number>((resolve, reject) => {
      channel.onDidReceive((message) => {
        const frame = decodeDownFrame(message)
        if (!frame) return reject(new Error('the device sent something that is no terminal; update Elsewhere'))
        if (frame.kind === 'exit') return resolve(frame.signal === undefined ? frame.code : 128 + frame.signal)
        if (frame.kind === 'output' || frame.kind === 'screen') stdout.write(frame.bytes.slice())
      })
      channel.onDidClose(({ reason }) => reject(new Error(`the terminal was let go of (${reason})`)))
    })
  } finally {
    if (stdin.isTTY) stdin.setRawMode(false)
    stdin.off('data', give)
    stdin.off('end', end)
    stdout.off('resize', resize)
    stdin.pause()
    stdin.unref?.()
    channel.dispose()
  }
}

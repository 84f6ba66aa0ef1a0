import { setTimeout as delay } from 'node:timers/promises'
import type { BenchLab } from './bench-lab.ts'

const DOWN = { screen: 0, output: 1 } as const
const KEYS_UP = 1
const PAUSE_MS = 40
const PATIENCE_MS = 5_000
const WARM_UP = 10

/** Types single letters on B into a pty on A, where the terminal itself echoes; ms from key to echo, without the painting. */
export async function echoTimes(lab: BenchLab, keys: number): Promise<readonly number[]> {
  const device = lab.machine('a').deviceId
  const command = ['/bin/cat']
  const { terminalId } = await lab.ask('a', (client) => client.openTerminal({ device, command, columns: 80, rows: 24 }))
  return lab.ask('b', async (client) => {
    const { channel: id } = await client.attachTerminal({ device, terminalId, columns: 80, rows: 24 })
    const channel = client.channel(id)
    try {
      let heard: (text: string) => void = () => {}
      channel.onDidReceive((message) => {
        if (message[0] === DOWN.output) heard(new TextDecoder().decode(message.subarray(1)))
      })
      return await typeLetters(
        keys,
        (letter) => channel.send(Uint8Array.of(KEYS_UP, letter.charCodeAt(0))),
        (listener) => {
          heard = listener
        },
      )
    } finally {
      channel.dispose()
      await client.endTerminal({ device, terminalId })
    }
  })
}

/** Each letter after the echo of the one before and a pause; the first few are not counted. */
export async function typeLetters(
  keys: number,
  send: (letter: string) => void,
  listen: (listener: (text: string) => void) => void,
): Promise<readonly number[]> {
  await delay(1_000)
  const times: number[] = []
  for (let key = 0; key < keys + WARM_UP; key++) {
    const letter = String.fromCharCode(97 + (key % 26))
    const echoed = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no echo of "${letter}" in ${PATIENCE_MS} ms`)), PATIENCE_MS)
      listen((text) => {
        if (!text.includes(letter)) return
        clearTimeout(timer)
        resolve()
      })
    })
    const sentMs = performance.now()
    send(letter)
    await echoed
    if (key >= WARM_UP) times.push(performance.now() - sentMs)
    await delay(PAUSE_MS)
  }
  return times
}

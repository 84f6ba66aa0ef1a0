import type { DisplayContract } from '../../src/device/display-contract.ts'
import type { Client } from '../../src/rpc/client.ts'

/** First byte of what a terminal's channel brings down: its screen with the scrollback (src/jobs/terminal-contract.ts). */
const SCREEN = 0

/** Attaches to a terminal as a display does, and measures until its whole screen is here. Lets go of it again. */
export async function measureAttach(
  client: Client<DisplayContract>,
  terminal: { readonly device: string; readonly terminalId: string },
): Promise<{ readonly ms: number; readonly screen: string }> {
  const fromMs = performance.now()
  const { channel: id } = await client.attachTerminal({ ...terminal, columns: 80, rows: 24 })
  const channel = client.channel(id)
  try {
    const screen = await new Promise<string>((resolve, reject) => {
      channel.onDidReceive((message) => {
        if (message[0] === SCREEN) resolve(new TextDecoder().decode(message.subarray(1)))
      })
      channel.onDidClose(() => reject(new Error('the terminal let go before its screen was here')))
    })
    return { ms: performance.now() - fromMs, screen }
  } finally {
    channel.dispose()
  }
}

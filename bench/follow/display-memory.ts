import * as z from 'zod'
import type { E2eBrowser } from '../../e2e/harness/e2e-display.ts'
import { pssBytes } from './process-memory.ts'

const processes = z.object({ processInfo: z.array(z.object({ type: z.string(), id: z.number() })) })

/** The largest of a browser's renderer processes, in bytes: that of its one page. A spare one is much smaller. */
export async function displayMemory(browser: E2eBrowser): Promise<number> {
  const cdp = await browser.browser.newBrowserCDPSession()
  const { processInfo } = processes.parse(await cdp.send('SystemInfo.getProcessInfo'))
  await cdp.detach()
  return Math.max(...processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => pssBytes(id)))
}

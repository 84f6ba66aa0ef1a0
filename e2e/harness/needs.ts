import { describe } from 'vitest'
import { whyNoBrowser } from './chromium.ts'

/** A suite that draws displays. Without a Chromium it is skipped, and its name says so. */
export const describeInBrowser = (name: string, body: () => void): void => {
  describe.skipIf(whyNoBrowser !== undefined)(`${name}${whyNoBrowser ? ` (${whyNoBrowser})` : ''}`, body)
}

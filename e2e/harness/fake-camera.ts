import { writeFileSync } from 'node:fs'
import type { Page } from 'playwright-core'

/** Flags of a Chromium whose camera shows a film, and whose person says yes to it. */
export const cameraFlags = (film?: string): readonly string[] => [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  ...(film === undefined ? [] : [`--use-file-for-fake-video-capture=${film}`]),
]

/**
 * A screen as a camera sees it: a picture of it, small, tilted and a little dim, on a grey wall. JPEG, 1280 by 720.
 *
 * @param page  any page: it is drawn in a new one beside it
 */
export async function photograph(page: Page, screen: Buffer, { widthPx = 520, tilt = 'rotateX(14deg) rotateY(-18deg) rotate(5deg)' } = {}) {
  const wall = await page.context().newPage()
  try {
    await wall.setViewportSize({ width: 1_280, height: 720 })
    await wall.setContent(`<body style="margin:0;background:#8a857f;display:grid;place-items:center;height:100vh;perspective:1200px">
      <img style="width:${widthPx}px;transform:${tilt};filter:brightness(.85) contrast(.9)"
        src="data:image/png;base64,${screen.toString('base64')}"></body>`)
    await wall.locator('img').evaluate((image: HTMLImageElement) => image.decode())
    return await wall.screenshot({ type: 'jpeg', quality: 80 })
  } finally {
    await wall.close()
  }
}

/** A film for `cameraFlags`, which Chromium shows round and round. */
export function writeFilm(file: string, frames: readonly Buffer[]): void {
  writeFileSync(file, Buffer.concat(frames))
}

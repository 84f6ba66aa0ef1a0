import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildDaemon } from '../scripts/build.ts'
import { whyNoNetLab } from '../src/testkit/netlab.ts'
import { E2eLab, eventually } from './harness/e2e-pair.ts'
import { whyNoBrowser } from './harness/chromium.ts'

const why = whyNoNetLab() ?? whyNoBrowser
const ROOT = path.resolve(import.meta.dirname, '..')
/** A change reaches the other display in well under a second; without a provider none ever does. */
const LONG_ENOUGH_MS = 8_000

/** y-webrtc, whole, except that the class which attaches a peer to a document attaches nothing. */
const WITHOUT_ATTACHMENTS = `
export { WebrtcProvider, Room, SignalingConn } from ${JSON.stringify(path.join(ROOT, 'node_modules/y-webrtc/src/y-webrtc.js'))}
export class WebrtcConn { destroy() {} }
`

/** A build like the checkout's, in a folder of its own. Returns its supervisor. */
async function buildInto(folder: string, alias: Readonly<Record<string, string>>): Promise<string> {
  await mkdir(path.join(folder, 'dist'), { recursive: true })
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ name: 'elsewhere', version: '0.0.0', type: 'module' }))
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'))
  await symlink(path.join(ROOT, 'dist/renderer'), path.join(folder, 'dist/renderer'))
  await buildDaemon(path.join(folder, 'dist'), alias)
  return path.join(folder, 'dist/daemon/supervisor.mjs')
}

/** Two paired devices of one build: does what one opens appear on the other? Says so only of a link that works. */
async function follows(supervisor: string): Promise<boolean> {
  const lab = await E2eLab.createWith({ supervisor }, 'laptop', 'kitchen')
  try {
    const linked = async () =>
      (await lab.link('laptop', 'kitchen')).state === 'linked' && (await lab.link('kitchen', 'laptop')).state === 'linked'
    await eventually('linked', linked, 40_000)
    const a = await lab.display('laptop', 'move')
    await a.openApp('Settings')
    await a.window('Settings').waitFor()
    const b = await lab.display('kitchen', 'move')
    const seen = await b
      .window('Settings')
      .waitFor({ timeout: LONG_ENOUGH_MS })
      .then(
        () => true,
        () => false,
      )
    // The link is as good as it was, and other lanes do their work: the laptop heard of the new seat over it.
    expect(await linked()).toBe(true)
    await a.page.getByText(/^You are on/).waitFor()
    return seen
  } catch (error) {
    throw new Error(`laptop:\n${lab.machine('laptop').device.log()}\nkitchen:\n${lab.machine('kitchen').device.log()}`, { cause: error })
  } finally {
    await lab.dispose()
  }
}

describe.skipIf(why !== undefined)(`y-webrtc is what carries the desk${why ? ` (${why})` : ''}`, () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'ew-provider-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))

  it('a build made the same way, with y-webrtc whole, follows', async () => {
    expect(await follows(await buildInto(path.join(folder, 'whole'), {}))).toBe(true)
  })

  it('a build whose y-webrtc attaches no peer links as well, and does not follow', async () => {
    const module = path.join(folder, 'without-attachments.mjs')
    await writeFile(module, WITHOUT_ATTACHMENTS)
    expect(await follows(await buildInto(path.join(folder, 'without'), { 'y-webrtc': module }))).toBe(false)
  })
})

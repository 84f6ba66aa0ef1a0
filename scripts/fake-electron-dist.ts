import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createPackage } from '@electron/asar'
import { FuseV1Options, FuseVersion } from '@electron/fuses'

/** What marks the fuse wire inside Electron's binary; public, from @electron/fuses. */
const SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'

/**
 * Makes a folder that packaging takes for an Electron distribution: the names it looks for, and a program with a fuse
 * wire. Proves our packaging, not Electron: nothing in it can show a window.
 */
export async function makeFakeElectronDist(folder: string, version: string): Promise<void> {
  const fuses = Object.keys(FuseV1Options).filter((key) => Number.isNaN(Number(key)))
  const wire = Buffer.concat([
    Buffer.from(SENTINEL),
    Buffer.from([Number(FuseVersion.V1), fuses.length]),
    Buffer.from('1'.repeat(fuses.length)),
  ])
  const program = Buffer.concat([await readFile('/bin/true'), Buffer.alloc(64), wire, Buffer.alloc(64)])
  await mkdir(path.join(folder, 'locales'), { recursive: true })
  await mkdir(path.join(folder, 'resources'), { recursive: true })
  await writeFile(path.join(folder, 'electron'), program)
  await chmod(path.join(folder, 'electron'), 0o755)
  const names = [
    'LICENSE',
    'LICENSES.chromium.html',
    'locales/en-US.pak',
    'locales/de.pak',
    'chrome-sandbox',
    'libffmpeg.so',
    'icudtl.dat',
    'resources.pak',
    'v8_context_snapshot.bin',
    'snapshot_blob.bin',
  ]
  for (const name of names) await writeFile(path.join(folder, name), 'stand-in\n')
  await writeFile(path.join(folder, 'version'), version)
  const app = path.join(folder, '..', 'default-app')
  await mkdir(app, { recursive: true })
  await writeFile(path.join(app, 'package.json'), '{}')
  await createPackage(app, path.join(folder, 'resources', 'default_app.asar'))
}

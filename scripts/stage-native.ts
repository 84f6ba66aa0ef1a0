import { cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { licenceTexts } from './licence-texts.ts'
import { inProject } from './project.ts'

/** Packages that the bundles load at run time, because they hold native code. */
export const NATIVE_PACKAGES = ['node-datachannel', 'sodium-native', '@lydell/node-pty', 'koffi']

/** Where packaging finds what lies beside the asar: `bin/node`, `node_modules/`, `LICENSES.txt`. */
export const STAGED = 'dist/beside-asar'

const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  )

/** The packages and all they depend on, as far as npm installed them for this platform. */
export async function nativeClosure(): Promise<string[]> {
  const found = new Set<string>()
  const queue = [...NATIVE_PACKAGES]
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const folder = inProject('node_modules', name)
    if (found.has(name) || !(await isThere(folder))) continue
    found.add(name)
    const manifest = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'))
    queue.push(...Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }))
  }
  for (const name of NATIVE_PACKAGES) {
    if (!found.has(name)) throw new Error(`stage: node_modules/${name} is missing; run npm ci`)
  }
  return [...found].sort()
}

const nodePackage = (): string => `node-bin-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`

/** Copies Node 24 and the native packages of this platform to where electron-builder takes them from. Packages are built on their own platform. */
export async function stageNative(): Promise<readonly string[]> {
  await rm(inProject(STAGED), { recursive: true, force: true })
  const names = await nativeClosure()
  const platform = `${process.platform}-${process.arch}`
  for (const name of names) {
    const from = inProject('node_modules', name)
    await cp(from, inProject(STAGED, 'node_modules', name), {
      recursive: true,
      dereference: true,
      // sodium-native carries prebuilds of every platform; only ours is shipped
      filter: (source) => {
        const [, prebuild] = /\/prebuilds\/([^/]+)/.exec(source.replaceAll('\\', '/')) ?? []
        return prebuild === undefined || prebuild === platform
      },
    })
  }
  const program = process.platform === 'win32' ? 'node.exe' : 'node'
  const node = inProject('node_modules', nodePackage(), 'bin', program)
  await mkdir(inProject(STAGED, 'bin'), { recursive: true })
  await cp((await isThere(node)) ? node : process.execPath, inProject(STAGED, 'bin', program), { dereference: true })
  await writeFile(inProject(STAGED, 'LICENSES.txt'), await licenceTexts())
  // A file of its own: electron-builder leaves out of the asar whatever it puts beside it.
  const { name, version, license, type } = JSON.parse(await readFile(inProject('package.json'), 'utf8'))
  await writeFile(inProject(STAGED, 'package.json'), `${JSON.stringify({ name, version, license, type, private: true }, undefined, 2)}\n`)
  return names
}

if (import.meta.main) console.log(`staged ${(await stageNative()).join(', ')}`)

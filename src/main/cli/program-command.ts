import { createPrivateKey, createPublicKey, sign as signBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { toBase58 } from '../../base/base58.ts'
import { parseGrantedProgram, type ProgramRelease, signProgramRelease } from '../../device/trust/release-words.ts'
import { identifyImage } from '../../platform/node/image-identity.ts'
import { NodeProgramIdentifier } from '../../platform/node/node-program-identifier.ts'
import type { Command } from './command.ts'
import { DATA_OPTION, dataOptions, requireSecret, withDevice } from './device-commands.ts'

type IdentifiedProgram = Awaited<ReturnType<NodeProgramIdentifier['identify']>>

const options = {
  ...dataOptions,
  tree: { type: 'string' },
  image: { type: 'boolean', default: false },
  key: { type: 'string' },
  name: { type: 'string' },
  release: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const
type Values = ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>['values']

export const programCommand: Command = {
  summary: 'what a program of this machine is, by its bytes, and what its publisher released',
  help: `Says what a program is: the id that a grant to it names. A file is the SHA-256 of its bytes; a script its interpreter, what the first
line tells that, and its text; with --tree every file of that folder counts, too. A container image is
"image:" and the digest of its configuration; containers run outside of the sandbox, so no grant and no release names one.

  elsewhere program id NAME|PATH       --image: NAME is a container image that podman or docker has
  elsewhere program release NAME|PATH|sha256:...  signs what these are as one release, and writes that; give the file to who runs it
  elsewhere program trust FILE         this device takes that release for the publisher's: a grant to pub:... is one to it
  elsewhere program releases           what this device was told
  elsewhere program forget pub:... NAME RELEASE

  --tree FOLDER    a folder that belongs to the program: what a script reads beside itself
  --key FILE       of the publisher: an Ed25519 key, as "openssl genpkey -algorithm ed25519" writes it
  --name NAME      of the program, for people
  --release TEXT   which release this is
  --json           for programs
${DATA_OPTION}`,
  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const [what, first, ...more] = positionals
    if (what === 'releases')
      return withDevice(values.data, async (device) => listReleases((await device.listReleases({})).releases, values.json))
    if (what === 'id' && first) return sayId(first, values)
    if (what === 'release' && first) return release([first, ...more], values)
    if (what === 'trust' && first) {
      const said = JSON.parse(readFileSync(first, 'utf8')) as ProgramRelease
      await withDevice(values.data, (device) => device.addRelease({ release: said }))
      console.log(`This device takes ${said.name} ${said.release} for a program of pub:${said.publisher}.`)
      return 0
    }
    const [name, named] = more
    if (what === 'forget' && first && name && named) {
      const publisher = first.replace(/^pub:/, '')
      await withDevice(values.data, (device) => device.forgetRelease({ publisher, name, release: named }))
      console.log(`${name} ${named} is no program of pub:${publisher} here any more. What runs by it goes on; revoke the grant to end it.`)
      return 0
    }
    throw new TypeError('use "program id NAME", with the name or path of a program; "elsewhere program --help" says the rest')
  },
}

/** On this machine, as a shell here would find it. @throws ProgramError */
export const identifyProgram = (program: string, tree?: string): Promise<IdentifiedProgram> =>
  new NodeProgramIdentifier().identify(program, {
    folder: process.cwd(),
    searchPath: process.env.PATH ?? '',
    ...(tree === undefined ? {} : { tree }),
  })

async function sayId(program: string, { image, tree, json }: Values): Promise<number> {
  const found = image ? await identifyImage(program, process.env.PATH ?? '') : await identifyProgram(program, tree)
  if (json) console.log(JSON.stringify(found, undefined, 2))
  else if ('engine' in found) console.log(`${found.id}  the image ${program}, as ${found.engine} has it`)
  else for (const line of programLines(found)) console.log(line)
  return 0
}

async function release(programs: readonly string[], { key, name, release: named, tree, image }: Values): Promise<number> {
  if (!key || !name || !named) throw new TypeError('a release takes --key, --name and --release')
  const ids: string[] = []
  for (const program of programs) {
    const idOf = async () => (image ? await identifyImage(program, process.env.PATH ?? '') : await identifyProgram(program, tree)).id
    ids.push(parseGrantedProgram(/^(image:)?sha256:[0-9a-f]{64}$/.test(program) ? program : await idOf()))
  }
  const pem = readFileSync(key, 'utf8')
  const passphrase = /ENCRYPTED/.test(pem) ? await requireSecret('Passphrase of the key: ') : undefined
  const secret = createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) })
  if (secret.asymmetricKeyType !== 'ed25519')
    throw new TypeError(`${key} is no Ed25519 key: "openssl genpkey -algorithm ed25519" makes one`)
  const publisher = toBase58(createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32))
  const signed = signProgramRelease({ publisher, name, release: named, ids }, (message) => signBytes(null, message, secret))
  console.log(JSON.stringify(signed, undefined, 2))
  console.error(`Released by pub:${publisher}. "elsewhere program trust FILE" on each device that is to take it.`)
  return 0
}

function listReleases(releases: readonly ProgramRelease[], isJson: boolean): number {
  if (isJson) console.log(JSON.stringify(releases, undefined, 2))
  else if (releases.length === 0) console.log('This device was told of no releases.')
  for (const { publisher, name, release: named, ids } of isJson ? [] : releases) {
    console.log(`${name} ${named}  pub:${publisher}`)
    for (const id of ids) console.log(`  ${id}`)
  }
  return 0
}

function programLines(found: IdentifiedProgram): string[] {
  const lines = [`${found.id}  ${found.path}${found.kind === 'tree' ? ' with its tree' : ''}`]
  for (let one = found.interpreter; one; one = one.interpreter) lines.push(`  interpreted by ${one.path}  ${one.id}`)
  return lines
}

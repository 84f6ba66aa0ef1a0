import { base64Of } from '../../../base/base64.ts'
import { takenEnvironment } from '../../job-environment.ts'
import { plainCommand } from '../../shell-words.ts'
import { EngineError, type EngineSubmission } from '../engine.ts'
import { gzip } from '../gzip.ts'
import { writeTar } from '../tar.ts'

/*
 * A job of ours as one of Bacalhau's (rules EN7, EN8): one task, given the folder's files inline. In a container they are copied
 * into the result folder, and the line runs there: what it leaves is what came of it. A module sees them as /inputs, and writes to /outputs.
 */

/** A node takes requests of 10 MB, and base64 makes four bytes of three. */
const MAX_ARCHIVE_BYTES = 6 * 1024 * 1024
/** A node unpacks no larger file. */
const MAX_FILE_BYTES = 10_000_000
/** Of a folder that is sent inline, before it is packed. */
export const INLINE_LIMITS = { bytes: 32 * 1024 * 1024, files: 4_000 } as const
/** Under which results lie in what a node publishes. */
export const OUTPUTS = 'outputs'

const INPUTS_AT = '/elsewhere/inputs'
const OUTPUTS_AT = '/elsewhere/outputs'
const LAY_OUT = `mkdir -p ${OUTPUTS_AT} && cp -R ${INPUTS_AT}/. ${OUTPUTS_AT}/ && cd ${OUTPUTS_AT} || exit 74`

/** First of what a container writes: until then its image is fetched and its files are laid out (the API says that it runs). */
export const beginMark = (name: string): string => `elsewhere ${name} begins\n`

/** The module and its words, where a line is nothing else; undefined: it is for a shell in a container. */
export function moduleLine(words: readonly string[]): { readonly module: string; readonly parameters: readonly string[] } | undefined {
  const line = words[0] === '-c' && words.length === 2 ? (words[1] ?? '') : ''
  if (!/^(?:\.\/)?[^\s|&;<>()]+\.wasm(?:\s|$)/.test(line)) return undefined
  const [first = '', ...parameters] = plainCommand(line) ?? []
  if (first === '')
    throw new EngineError('engine/bad-line', `a module is run without a shell: write ${line.split(/\s/)[0]} and plain words after it`)
  return { module: first.replace(/^\.\//, ''), parameters }
}

/** @throws EngineError `engine/no-image`, `engine/bad-line`, `engine/bad-folder`, `engine/folder-too-large` */
export async function bacalhauJob(
  { name, arguments: words, environment, service, network, image, files = [] }: EngineSubmission,
  settings: { readonly image?: string | undefined; readonly namespace?: string | undefined },
): Promise<object> {
  const module = moduleLine(words)
  const named = image ?? settings.image
  if (!module && named === undefined)
    throw new EngineError('engine/no-image', 'Bacalhau runs containers: name an image with --image, or one for all in the settings of it')
  const odd = files.find(({ path }) => path.includes('\\') || path.includes('../'))
  if (odd) throw new EngineError('engine/bad-folder', `${odd.path} cannot be sent: Bacalhau takes no name with \\ or ../ in it`)
  const large = files.find((file) => file.kind === 'file' && file.bytes.length > MAX_FILE_BYTES)
  if (large) throw new EngineError('engine/folder-too-large', `${large.path} is over 10 MB, which Bacalhau does not take inline`)
  const archive = await gzip(writeTar(files))
  const code = module && files.find(({ path }) => path === module.module)
  if (module && code?.kind !== 'file') throw new EngineError('engine/bad-line', `${module.module} is not in this folder`)
  const bytes = archive.length + (code?.kind === 'file' ? code.bytes.length : 0)
  if (bytes > MAX_ARCHIVE_BYTES)
    throw new EngineError(
      'engine/folder-too-large',
      `this folder is ${(bytes / 1_048_576).toFixed(1)} MiB when it is packed; 6 MiB go with a job. Run it from a smaller folder`,
    )
  const inline = (at: string, type: string, content: Uint8Array) => ({
    Source: { Type: 'inline', Params: { URL: `data:${type};base64,${base64Of(content)}` } },
    Target: at,
  })
  const engine = module
    ? { Type: 'wasm', Params: { EntryModule: '/module.wasm', Entrypoint: '_start', Parameters: module.parameters } }
    : {
        Type: 'docker',
        Params: {
          Image: named,
          Entrypoint: ['/bin/sh', '-c', `${LAY_OUT}; printf '%s' "$0"; exec /bin/sh "$@" </dev/null`, beginMark(name)],
          Parameters: words,
        },
      }
  const task = {
    ...{ Name: 'main', Engine: engine, Env: bacalhauEnvironment(environment) },
    InputSources: [
      ...(code?.kind === 'file' ? [inline('/module.wasm', 'application/wasm', code.bytes)] : []),
      inline(module ? '/inputs' : INPUTS_AT, 'application/gzip', archive),
    ],
    // Of services the API gives no results.
    ...(!service && {
      ...{ Publisher: { Type: 'local' }, ResultPaths: [{ Name: OUTPUTS, Path: module ? `/${OUTPUTS}` : OUTPUTS_AT }] },
    }),
    ...(!network && !service && { Network: { Type: 'None' } }),
  }
  const { namespace } = settings
  return {
    Name: name,
    ...(namespace !== undefined && { Namespace: namespace }),
    Type: service ? 'service' : 'batch',
    Count: 1,
    Tasks: [task],
  }
}

/** It refuses a job for a name in small letters, an empty value or a name of its own. */
const bacalhauEnvironment = (environment: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(takenEnvironment(environment)).filter(
      ([name, value]) => /^[A-Z][A-Z0-9_]*$/.test(name) && !name.startsWith('BACALHAU_') && value !== '',
    ),
  )

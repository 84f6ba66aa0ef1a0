import { parseArgs } from 'node:util'
import { pathToFileURL } from 'node:url'
import type { DemoOptions } from '../e2e/demo/demo-options.ts'
import { whyNoBrowser } from '../e2e/harness/chromium.ts'
import { buildAll, isBuildStale } from './build.ts'
import { inProject } from './project.ts'

const HELP = `npm run demo -- [--keep] [--json FILE] [--no-namespaces]

Three devices on this machine, paired; a desk made on the first, unlocked beside it on the second, then moved there.
Saves PNGs in demo-out/ and prints how long each step took.

  --keep            leaves the devices running and prints a URL for each, new ones with Enter, until Ctrl-C
  --json FILE       writes what was measured and seen to FILE
  --no-namespaces   all three on this machine's own network, also where namespaces could be made`

const readOptions = (args: readonly string[]) =>
  parseArgs({
    args: [...args],
    options: {
      keep: { type: 'boolean', default: false },
      json: { type: 'string' },
      'no-namespaces': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }).values

/** `npm run demo`: see HELP. 0 if both displays showed the same desk and the seat moved. */
export async function main(args: readonly string[]): Promise<number> {
  let values: ReturnType<typeof readOptions>
  try {
    values = readOptions(args)
  } catch (error) {
    console.error(`demo: ${error instanceof Error ? error.message : String(error)}\n\n${HELP}`)
    return 2
  }
  if (values.help) {
    console.log(HELP)
    return 0
  }
  if (whyNoBrowser) {
    console.error(
      `demo: it draws its displays with Chromium, and ${whyNoBrowser}: install it (Debian: apt-get install chromium), or say where one is in ELSEWHERE_CHROMIUM.`,
    )
    return 2
  }
  if (await isBuildStale()) {
    console.log('building what is missing or old: a few seconds')
    await buildAll()
  }
  const interrupted = new Promise<void>((resolve) => process.on('SIGINT', resolve).on('SIGTERM', resolve)) // stays: a second one must not cut the clearing up short
  const { runDemo }: { runDemo: (options: DemoOptions) => Promise<unknown> } = await import(
    pathToFileURL(inProject('e2e', 'demo', 'run-demo.ts')).href
  )
  try {
    await runDemo({
      folder: inProject('demo-out'),
      keep: values.keep,
      interrupted,
      onDidAskAgain: (again) => process.stdin.on('data', again),
      namespaces: !values['no-namespaces'],
      jsonFile: values.json,
      say: (line) => console.log(line),
    })
    return 0
  } catch (error) {
    console.error(`demo: ${error instanceof Error ? error.message : String(error)}`)
    return 1
  } finally {
    process.stdin.pause() // who was asked for new URLs keeps nothing running
  }
}

import { runCli } from '../src/main/cli/run-cli.ts'
import { main as build } from './build.ts'

/** `npm start`: builds what is missing or old, then does what `elsewhere start` does. */
export async function main(args: readonly string[]): Promise<number> {
  if (!args.includes('--help')) {
    const code = await build(['--if-stale'])
    if (code !== 0) return code
  }
  return runCli(['start', ...args])
}

import { run } from './project.ts'

/** `npm run format`: writes every file the way `npm run check` wants it. */
export async function main(): Promise<number> {
  return (await run('biome', ['format', '--write', '.'], { show: true })).code
}

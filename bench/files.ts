import { measureMount } from './files/mount-rows.ts'
import type { Bench } from './report.ts'

/* `npm run bench -- files [--small]`: what files cost: in the mount, against the disk below and what people mount today. */

export const bench: Bench = { name: 'files', run: (args) => measureMount(args) }

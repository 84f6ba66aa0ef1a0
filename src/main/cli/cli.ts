import { runCli } from './run-cli.ts'

// What a terminal says that runs in it: not "node". Its first word; lists of processes show the rest.
process.title = ['elsewhere', ...process.argv.slice(2)].join(' ')
process.exitCode = await runCli(process.argv.slice(2))

import { errorCode, errorMessage } from '../../base/errors.ts'
import { behavioursCommand } from './behaviours-command.ts'
import { bucketCommand } from './bucket-command.ts'
import { classifyCommand } from './classify-command.ts'
import type { Command } from './command.ts'
import { contactCommand } from './contact-command.ts'
import {
  createCommand,
  debugCommand,
  devicesCommand,
  lockCommand,
  passphraseCommand,
  statusCommand,
  stopCommand,
  unlockCommand,
} from './device-commands.ts'
import { deviceCommand } from './device-command.ts'
import { engineCommand } from './engine-command.ts'
import { fsCommand } from './fs-command.ts'
import { grantCommand } from './grant-command.ts'
import { explainCommand } from './explain-command.ts'
import { attachCommand, cancelCommand, jobsCommand, logsCommand, runCommand } from './job-commands.ts'
import { joinCommand } from './join-command.ts'
import { ledgerCommand } from './ledger-command.ts'
import { offCommand, onCommand } from './on-command.ts'
import { pairCommand } from './pair-command.ts'
import { programCommand } from './program-command.ts'
import { recoveryCommand } from './recovery-command.ts'
import { rendezvousCommand } from './rendezvous-command.ts'
import { START_HELP, startCommand } from './start-command.ts'
import { topCommand } from './top-command.ts'
import { walletCommand } from './wallet-command.ts'
import { workflowCommand } from './workflow-command.ts'

const COMMANDS: Readonly<Record<string, Command>> = {
  start: { summary: 'start the device and open the desktop', help: START_HELP, run: startCommand },
  status: statusCommand,
  stop: stopCommand,
  create: createCommand,
  unlock: unlockCommand,
  lock: lockCommand,
  passphrase: passphraseCommand,
  devices: devicesCommand,
  device: deviceCommand,
  contact: contactCommand,
  grant: grantCommand,
  program: programCommand,
  fs: fsCommand,
  bucket: bucketCommand,
  ledger: ledgerCommand,
  wallet: walletCommand,
  pair: pairCommand,
  join: joinCommand,
  recovery: recoveryCommand,
  rendezvous: rendezvousCommand,
  classify: classifyCommand,
  explain: explainCommand,
  run: runCommand,
  on: onCommand,
  off: offCommand,
  jobs: jobsCommand,
  logs: logsCommand,
  attach: attachCommand,
  cancel: cancelCommand,
  workflow: workflowCommand,
  engine: engineCommand,
  behaviours: behavioursCommand,
  top: topCommand,
  debug: debugCommand,
}

/** What follows is another command, with options of its own. */
const TAKES_A_COMMAND = new Set(['classify', 'explain', 'run'])

/** Runs one command. An error becomes one line with its stable code on stderr and exit code 1; wrong usage is 2. */
export async function runCli(args: readonly string[]): Promise<number> {
  const [name = '--help', ...rest] = args
  if (name === '--help' || name === 'help') {
    console.log(overview())
    return 0
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!command) {
    console.error(`elsewhere: there is no command "${name}". "elsewhere --help" lists them.`)
    return 2
  }
  // What is said about another command may hold its --help.
  if (rest[0] === '--help' || (!TAKES_A_COMMAND.has(name) && rest.includes('--help'))) {
    console.log(command.help)
    return 0
  }
  try {
    return await command.run(rest)
  } catch (error) {
    const isUsage = error instanceof TypeError
    console.error(isUsage ? `elsewhere: ${error.message}` : `elsewhere: ${errorMessage(error)} [${errorCode(error)}]`)
    return isUsage ? 2 : 1
  }
}

function overview(): string {
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`)
  return `Elsewhere: a desktop that follows its person between screens.\n\n${lines.join('\n')}\n\n"elsewhere COMMAND --help" says more.`
}

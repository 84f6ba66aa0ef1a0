import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'

/** Asks one line on the terminal. `hidden` shows nothing of what is typed. Undefined when the input ends or Ctrl-C is pressed. */
export function askLine(question: string, options: { hidden?: boolean } = {}): Promise<string | undefined> {
  const muted = new Writable({ write: (_chunk, _encoding, done) => done() })
  process.stderr.write(question)
  const lines = createInterface({ input: process.stdin, output: options.hidden ? muted : process.stderr, terminal: process.stdin.isTTY })
  return new Promise((resolve) => {
    let answer: string | undefined
    lines.once('line', (line) => {
      answer = line
      lines.close()
    })
    lines.once('SIGINT', () => lines.close())
    lines.once('close', () => {
      if (options.hidden) process.stderr.write('\n')
      resolve(answer)
    })
  })
}

/** Yes or no; anything but y is no. Ctrl-C while asking is `undefined`. */
export async function askYesNo(question: string): Promise<boolean | undefined> {
  const answer = await askLine(`${question} [y/N] `)
  return answer === undefined ? undefined : /^y(es)?$/i.test(answer.trim())
}

/** Several hidden prompts on a terminal, else as many lines of standard input. Undefined for those that are missing. */
export async function readSecrets(questions: readonly string[]): Promise<(string | undefined)[]> {
  if (process.stdin.isTTY) {
    const answers: (string | undefined)[] = []
    for (const question of questions) {
      const answer = await askLine(question, { hidden: true })
      answers.push(answer)
      if (answer === undefined) break
    }
    return answers
  }
  let text = ''
  for await (const chunk of process.stdin) {
    text += String(chunk)
    if (text.split('\n').length > questions.length) break
  }
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''))
  return questions.map((_, index) => lines[index] || undefined)
}

/** A hidden prompt on a terminal, else the first line of standard input. Undefined when there is nothing. */
export async function readSecret(question: string): Promise<string | undefined> {
  if (process.stdin.isTTY) return askLine(question, { hidden: true })
  let text = ''
  for await (const chunk of process.stdin) {
    text += String(chunk)
    if (text.includes('\n')) break
  }
  const line = text.split('\n', 1)[0]?.replace(/\r$/, '')
  return line === '' ? undefined : line
}

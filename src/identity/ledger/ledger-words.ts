/** An entry as a person reads it. Kinds of a newer version are named as they are. */
export function ledgerSentence(event: Readonly<Record<string, unknown>>, nameOf: (id: string) => string): string {
  const name = (key: string) => (typeof event[key] === 'string' ? nameOf(event[key]) : 'somebody')
  const number = (key: string) => (typeof event[key] === 'number' ? event[key] : 0)
  switch (event.kind) {
    case 'began':
      return 'This ledger began'
    case 'linked':
      return `Linked with ${name('peer')}`
    case 'unlinked': {
      const carried = `${kilobytes(number('sentBytes'))} sent, ${kilobytes(number('receivedBytes'))} received`
      return `The link with ${name('peer')} ended after ${duration(number('forMs'))} (${String(event.path)}; ${carried})`
    }
    case 'signed-in':
      return event.way === 'wallet'
        ? `A display was opened by the wallet ${name('wallet')}`
        : `A display was opened with the ${String(event.way)}; this device’s wallet signed it`
    case 'device-added':
      return `${name('peer')} was added as ${event.role === 'admin' ? 'an admin' : 'a member'} by ${name('by')}`
    case 'device-removed':
      return `${name('peer')} was removed by ${name('by')}`
    case 'role-changed':
      return `${name('peer')} was made ${event.role === 'admin' ? 'an admin' : 'a member'} by ${name('by')}`
    case 'contact-added':
      return `The person ${name('person')} became a contact, by ${name('by')}`
    case 'contact-removed':
      return `The person ${name('person')} is no contact any more, by ${name('by')}`
    case 'granted':
      return `${name('by')} gave a grant to ${event.peer !== undefined ? name('peer') : event.person === undefined ? 'any of your devices' : name('person')}`
    case 'revoked':
      return `${name('by')} revoked a grant`
    case 'port-shared':
      return `Port ${number('port')}${ofAttempt(event.attempt)} was opened to ${name('peer')}`
    case 'port-closed':
      return `Port ${number('port')}${ofAttempt(event.attempt)} was closed to ${name('peer')} after ${duration(number('forMs'))}`
    case 'port-opened':
      return `Port ${number('port')} of ${jobWords(event.job)}${name('peer')} was opened on this device, as ${number('here')}`
    case 'port-ended':
      return `Port ${number('port')} of ${jobWords(event.job)}${name('peer')} was closed on this device after ${duration(number('forMs'))}`
    case 'shell-opened':
      return `${name('peer')} opened a shell on this device`
    case 'shell-ended':
      return `The shell of ${name('peer')} on this device ended after ${duration(number('forMs'))}`
    case 'shell-entered':
      return `This device opened a shell on ${name('peer')}`
    case 'shell-left':
      return `The shell of this device on ${name('peer')} ended, or was left, after ${duration(number('forMs'))}`
    case 'jobs-begun':
      return `${name('peer')} began to run jobs on this device`
    case 'jobs-ended':
      return `What ${name('person')} ran on this device ended after ${duration(number('forMs'))}; ${number('count') === 1 ? 'it was one job' : `it was ${number('count')} jobs`}`
    case 'anchored':
      return `The ${number('count')} entries before were anchored on Solana for ${number('feeLamports')} lamports`
    case 'lost':
      return `${number('count')} entries could not be written and are lost`
    default:
      return `${String(event.kind)} (from a newer version)`
  }
}

const short = (id: unknown): string => (typeof id === 'string' ? id.slice(0, 8) : '')
const ofAttempt = (attempt: unknown): string => (typeof attempt === 'string' ? `, of a job that it runs here (${short(attempt)}),` : '')

/** Ports of contacts are of no job that this device knows. */
const jobWords = (job: unknown): string => (job === undefined ? '' : `the job ${short(job)} on `)

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`
  return `${Math.floor(seconds / 3_600)} h ${Math.round((seconds % 3_600) / 60)} min`
}

const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1000)} kB`

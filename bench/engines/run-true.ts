import type { displayContract } from '../../src/device/display-contract.ts'
import type { JobInfo } from '../../src/jobs/jobs-contract.ts'
import type { Client } from '../../src/rpc/client.ts'

/** Ms. */
export async function timed(work: () => Promise<void>): Promise<number> {
  const beganMs = performance.now()
  await work()
  return performance.now() - beganMs
}

/** From asking this device to the job's end. @param on  an engine */
export async function runTrue(client: Client<typeof displayContract>, folder: string, on: string): Promise<void> {
  let job: string | undefined
  const early: JobInfo[] = []
  const ended = new Promise<JobInfo>((resolve) => {
    const hear = (info: JobInfo) => {
      if (job === undefined) early.push(info)
      else if (info.job === job && info.endedAtMs !== undefined) resolve(info)
    }
    client.onDidChangeJob(hear) // goes with the client
    void client.startJob({ commandLine: 'true', folder, input: false, policy: { where: { device: on } } }).then((info) => {
      job = info.job
      for (const one of [...early, info]) hear(one)
    })
  })
  const { state, error } = await ended
  if (state !== 'done') throw new Error(`it ended as ${state}: ${error?.message}`)
}

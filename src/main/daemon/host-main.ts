import path from 'node:path'
import { runProcess } from './process-life.ts'
import { projectRoot } from './project-root.ts'
import { startHost } from './start-host.ts'

await runProcess('host', ({ data, log }) =>
  startHost({
    socketPath: data.hostSocket,
    shellFolder: path.join(data.path, 'shell'),
    jobsFolder: path.join(data.path, 'jobs'),
    commandLine: { data: data.path, cli: [process.execPath, path.join(projectRoot(), 'bin', 'elsewhere.mjs')] },
    log,
    environment: process.env,
    supervisorPid: process.send ? process.ppid : undefined, // without a supervisor the parent is whatever shell started us
  }),
)

import { runProcess } from './process-life.ts'
import { startFiles } from './start-files.ts'

await runProcess('files', ({ data, log }) =>
  startFiles({ socketPath: data.filesSocket, datasetsFolder: data.datasets, workFolder: data.work, log, environment: process.env }),
)

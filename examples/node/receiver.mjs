// A receiver of eSputnik's activities: Basic credentials, arrays, 200 and nothing else.

import { createServer } from 'node:http'

const CREDENTIALS = 'Basic ' + Buffer.from('hook:secret').toString('base64')

/** Calls `keep` once for each activity that was not seen before. */
export function receiver(keep) {
  const seen = new Set()
  return createServer(async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const end = (status) => response.writeHead(status).end()
    if (request.headers.authorization !== CREDENTIALS) return end(401)
    if (request.method === 'GET') return end(200)
    for (const activity of JSON.parse(Buffer.concat(chunks))) {
      const { iid, activityStatus, activityDateTime } = activity
      const key = JSON.stringify([iid, activityStatus, activityDateTime])
      if (seen.has(key)) continue
      try {
        await keep(activity)
      } catch {
        return end(500)
      }
      seen.add(key)
    }
    end(200)
  })
}

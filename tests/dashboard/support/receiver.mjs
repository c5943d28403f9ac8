// A receiver that answers as it is told.
import { createServer } from "node:http";

/** `answer` is given the request and gives `[status, body]`, or nothing to hang; it can be changed later. */
export async function receiver(answer) {
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      taken.got.push({ headers: request.headers, body: Buffer.concat(chunks) });
      const answer = taken.answer(request);
      if (!answer) return;
      const [status, body = ""] = answer;
      response.writeHead(status).end(body);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const taken = {
    answer,
    got: [],
    url: `http://127.0.0.1:${server.address().port}/hook`,
    close: () => server.closeAllConnections() ?? new Promise((resolve) => server.close(resolve)),
  };
  return taken;
}

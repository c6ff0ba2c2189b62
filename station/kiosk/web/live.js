// The one connection: states as text, pictures as binary, each picture only when the last one is drawn.

/** onState(view) for every change, onPicture(bitmap) for every picture, onGone(true|false) when the station stops or returns. */
export function connect({ onState, onPicture, onGone }) {
  const socket = new WebSocket(`ws://${location.host}/live`);
  socket.binaryType = "blob";
  socket.onopen = () => socket.send("next");
  socket.onmessage = async ({ data }) => {
    if (typeof data === "string") {
      onGone(false);
      onState(JSON.parse(data));
      return;
    }
    try {
      onPicture(await createImageBitmap(data));
    } finally {
      if (socket.readyState === WebSocket.OPEN) socket.send("next");
    }
  };
  socket.onclose = () => {
    onGone(true);
    setTimeout(() => connect({ onState, onPicture, onGone }), 1000);
  };
}

export function drawOn(canvas, bitmap) {
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
  }
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
}

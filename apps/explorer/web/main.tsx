import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { loadNetwork } from "./data/network.ts";
import "./theme/index.css";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
void loadNetwork();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

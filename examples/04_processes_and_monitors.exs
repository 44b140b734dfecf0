# Start me first:  elixir --name node1@127.0.0.1 --cookie cookie examples/04_processes_and_monitors.exs
defmodule Echo do
  def loop do
    receive do
      {:echo, from, message} ->
        send(from, {:noise, self()})
        send(from, {:echo, message})
        loop()

      {:stop, reason} ->
        exit(reason)
    end
  end
end

Process.register(spawn(&Echo.loop/0), :echo)
IO.puts("node1 runs echo")
Process.sleep(:infinity)
